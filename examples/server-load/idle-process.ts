// The process of idle.ts: answers 'reset' and 'delay' with the delay of its event loop.
import { delayOf, watchDelay } from '../server/delay.js';

const delay = watchDelay();
process.on('message', (question) => {
  process.send!(delayOf(delay));
  if (question === 'reset') delay.reset();
});
