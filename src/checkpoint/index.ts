// Files and bytes of weights <-> state dicts.
export {
  encodeSafetensors,
  loadSafetensors,
  saveSafetensors,
  type EncodeSafetensorsOptions,
  type LoadSafetensorsOptions,
  type SaveSafetensorsOptions,
} from './safetensors/safetensors.js';
export { loadTorch, type LoadTorchOptions } from './torch/torch.js';
