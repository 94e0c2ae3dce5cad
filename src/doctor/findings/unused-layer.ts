import { accessOf, type Rule } from '../examined.js';
import { isUnused } from './initial.js';

export const unusedLayer: Rule = {
  id: 'unused-layer',
  severity: 'warning',
  mendedBy: 'code',
  what: 'A BatchNorm is part of the model, and no forward reaches it.',
  why: 'What was meant to be normalised is not, and nothing says so; its parameters are saved, loaded and decayed for nothing.',
  how: 'Call it in forward, or remove it.',
  detect(examined) {
    return examined.layers
      .filter(({ report }) => isUnused(report, examined))
      .map(({ report: { name } }) => ({
        layer: name,
        effect: 1,
        evidence:
          examined.source === 'checkpoint'
            ? 'It has tracked no batch, and other layers of the file have.'
            : 'None of the data that went through the model reached it.',
        cause: 'It is declared and not called in forward.',
        mend: `x = ${accessOf(name).replace(/^model/, 'this')}.forward(x); // in forward, or delete the layer`,
      }));
  },
};
