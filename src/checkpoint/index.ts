// Files of weights: bytes <-> state dicts.
export { loadSafetensors, saveSafetensors, type SaveSafetensorsOptions } from './safetensors.js';
export { loadTorch, type LoadTorchOptions } from './torch.js';
