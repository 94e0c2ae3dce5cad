// The network that reads mails byte by byte, and what it says of many of them.
import { data, nn, noGrad, type Tensor } from 'evenkeel';

import { SYMBOLS, type Mails } from './data.js';

const WIDTH = 64;

/** Embedding of bytes, three convolutions, the largest value of each feature over the mail, a classifier. */
export class SpamNet extends nn.Module {
  readonly embedding = new nn.Embedding(SYMBOLS, 16, { paddingIdx: 0 });
  /** BatchNorm takes away a bias before it, so that there is none. */
  readonly features = new nn.Sequential(
    new nn.Conv1d(16, WIDTH, 7, { stride: 2, padding: 3, bias: false }),
    new nn.BatchNorm1d(WIDTH),
    new nn.ReLU(),
    new nn.Conv1d(WIDTH, WIDTH, 5, { stride: 2, padding: 2, bias: false }),
    new nn.BatchNorm1d(WIDTH),
    new nn.ReLU(),
    new nn.Conv1d(WIDTH, WIDTH, 3, { stride: 2, padding: 1, bias: false }),
    new nn.BatchNorm1d(WIDTH),
    new nn.ReLU(),
    new nn.AdaptiveMaxPool1d(1),
    new nn.Flatten(),
  );
  readonly head = new nn.Sequential(
    new nn.Linear(WIDTH, WIDTH, { bias: false }),
    new nn.BatchNorm1d(WIDTH),
    new nn.ReLU(),
    new nn.Dropout(0.3),
    new nn.Linear(WIDTH, 1),
  );

  /** @param symbols - [N, L], int32. Gives logits [N, 1]: above 0 for spam. */
  forward(symbols: Tensor): Tensor {
    const vectors = this.embedding.forward(symbols).transpose(1, 2);
    return this.head.forward(this.features.forward(vectors));
  }
}

/** The logit of each mail, in the mode that the model has. */
export function logitsOf(model: SpamNet, mails: Mails, batchSize = 100): Float32Array {
  const logits = new Float32Array(mails.length);
  let at = 0;
  noGrad(() => {
    for (const [symbols] of new data.DataLoader(mails, { batchSize })) {
      const part = model.forward(symbols).data as Float32Array;
      logits.set(part, at);
      at += part.length;
    }
  });
  return logits;
}
