// Files and bytes of weights <-> state dicts.
export {
  encodeSafetensors,
  loadSafetensors,
  saveSafetensors,
  type EncodeSafetensorsOptions,
  type LoadSafetensorsOptions,
  type SaveSafetensorsOptions,
} from './safetensors/safetensors.js';
export {
  loadTorchOptimizer,
  type TorchOptimizerState,
  type TorchSetting,
} from './torch/optimizer.js';
export { loadTorch, type LoadTorchOptions } from './torch/torch.js';
export { encodeTorch, saveTorch, type SaveTorchOptions } from './torch/write.js';
export {
  loadTraining,
  saveTraining,
  type Extra,
  type SavedModel,
  type SavedOptimizer,
  type SavedScheduler,
  type TrainingParts,
  type TrainingToSave,
} from './training.js';
