// The door of what is past one process: `evenkeel/distributed`.
export * as distributed from './distributed.js';
