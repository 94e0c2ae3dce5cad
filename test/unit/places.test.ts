// Which layer of a model an error of forward is from.
import { describe, expect, it } from 'vitest';
import { functional, nn, tensor, type Tensor } from '../../src/index.js';
import { tellPlaces } from '../../src/nn/module/place.js';

const x = (): Tensor => tensor(new Float32Array(12), [3, 4]);
const SENTENCE =
  'BatchNorm1d: expected input with 9 channels, got shape [3, 8] (running_mean should contain 8 elements not 9)';

class Block extends nn.Module {
  fc = new nn.Linear(4, 8);
  bn1: nn.Module = new nn.BatchNorm1d(9);
  forward(input: Tensor): Tensor {
    return (this.bn1 as nn.Layer).forward(this.fc.forward(input));
  }
}

class Net extends nn.Module {
  layers = new nn.Sequential(new nn.ReLU(), new Block());
  forward(input: Tensor): Tensor {
    return this.layers.forward(input);
  }
}

/** Calls `body` in its forward, and has what it is given. */
class Calls extends nn.Module {
  constructor(
    readonly body: (input: Tensor) => unknown,
    readonly inner: nn.Module | null = null,
  ) {
    super();
  }
  forward(input: Tensor): unknown {
    return this.body(input);
  }
}

function thrownBy(body: () => unknown): Error {
  try {
    body();
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected an error, got none');
}

describe('an error that leaves a module inside another', () => {
  it('has the path in the outermost one, once, and the first line of the stack too', () => {
    const error = thrownBy(() => new Net().forward(x()));
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toBe(`${SENTENCE} (in 'layers.1.bn1').`);
    expect(error.stack?.split('\n')[0]).toBe(`RangeError: ${error.message}`);
    expect(error.stack).toMatch(/\n {4}at .*sentences/);
  });

  it('has the stack of a forward that nothing is around: each frame once, and the line that called the model', async () => {
    const callsTheModel = (): unknown => new nn.Sequential(new Net()).forward(x());
    const frames = thrownBy(callsTheModel).stack!.split('\n').slice(1);
    expect(frames.length).toBe(Error.stackTraceLimit);
    expect(frames.filter((frame) => frame.includes('Net.forward'))).toHaveLength(1);
    expect(frames.filter((frame) => frame.includes('module/place'))).toEqual([]);
    expect(frames.some((frame) => frame.includes('callsTheModel'))).toBe(true);

    const throws = (): never => {
      throw new Error('mine\n    at home');
    };
    const inner = new Calls(throws);
    const own = thrownBy(() => new Calls((input) => inner.forward(input), inner).forward(x()));
    expect(own.message).toBe('mine\n    at home');
    expect(own.stack!.split('\n').slice(0, 2)).toEqual(['Error: mine', '    at home']);
    expect(own.stack).not.toContain('module/place');

    class Later extends nn.Module {
      net = new Net();
      async forward(input: Tensor): Promise<Tensor> {
        await Promise.resolve();
        return this.net.forward(input);
      }
    }
    const later = await new Later().forward(x()).catch((error: unknown) => error as Error);
    expect((later as Error).stack).toMatch(/Net\.forward[^]*Later\.forward/);
    expect((later as Error).stack).not.toContain('module/place');
  });

  it('has none of a module by itself, and a shorter one of a smaller model', () => {
    const block = new Block();
    const { bn1 } = block;
    expect(thrownBy(() => (bn1 as nn.Layer).forward(tensor([[1]]))).message).toMatch(/9\)\.$/);
    expect(thrownBy(() => block.forward(x())).message).toBe(`${SENTENCE} (in 'bn1').`);
    expect(thrownBy(() => new nn.ReLU().forward('no' as never)).message).not.toContain('(in ');
  });

  it('of forwardAsync too, with checks that come later', async () => {
    const model = new Net();
    await expect(model.forwardAsync(x())).rejects.toThrow(`${SENTENCE} (in 'layers.1.bn1').`);
    class Later extends nn.Module {
      net = new Net();
      override async forwardAsync(input: Tensor): Promise<Tensor> {
        return this.net.forwardAsync(input);
      }
      forward(): never {
        throw new Error('not this one');
      }
    }
    await expect(new Later().forwardAsync(x())).rejects.toThrow(`(in 'net.layers.1.bn1').`);
    class Options extends nn.Module {
      bn = new nn.BatchNorm1d(4);
      async forward(input: Tensor): Promise<Tensor> {
        return this.bn.forwardAsync(input, { length: [1] } as never);
      }
    }
    await expect(new Options().forward(x())).rejects.toThrow(/\(in 'bn'\)\.$/);
  });

  it('of a function that a module calls', () => {
    const inner = new Calls((input) => functional.cat([input], { dim: 7 }));
    const model = new Calls((input) => inner.forward(input), inner);
    expect(thrownBy(() => model.forward(x())).message).toBe(
      "cat: expected dim from -2 to 1 (Dimension out of range), got 7 (in 'inner').",
    );
    expect(thrownBy(() => inner.forward(x())).message).toMatch(/got 7\.$/);
  });

  it('of a module in a ModuleDict, one with hooks, a converted one, and of an averaged model', () => {
    const hooked = new Block();
    hooked.registerForwardHook(() => undefined);
    class Dict extends nn.Module {
      heads = new nn.ModuleDict({ one: hooked });
      forward(input: Tensor): unknown {
        return this.heads.get('one').forward(input);
      }
    }
    expect(thrownBy(() => new Dict().forward(x())).message).toMatch(/\(in 'heads\.one\.bn1'\)\.$/);
    const synced = nn.convertSyncBatchNorm(new Net());
    expect(thrownBy(() => synced.forward(x())).message).toMatch(/\(in 'layers\.1\.bn1'\)\.$/);
    const averaged = new nn.AveragedModel(new Net());
    expect(thrownBy(() => averaged.forward(x())).message).toMatch(
      /\(in 'module\.layers\.1\.bn1'\)\.$/,
    );
  });

  it('of a shared module has the path by which it was reached, or the first', () => {
    class Twice extends nn.Module {
      a = new Block();
      b = new Calls((input) => this.a.bn1.forward(input as never), this.a.bn1);
      forward(input: Tensor): unknown {
        return this.b.forward(input);
      }
    }
    expect(thrownBy(() => new Twice().forward(x())).message).toMatch(/\(in 'b\.inner'\)\.$/);
    const layer = new nn.Linear(3, 3);
    const sequential = new nn.Sequential(new nn.ReLU(), layer, layer);
    expect(thrownBy(() => sequential.forward(x())).message).toMatch(/\(in '1'\)\.$/);
  });

  it('of a module that no path leads to has the path in that one, with its class', () => {
    const teacher = new Net();
    const student = new Calls((input) => teacher.forward(input));
    const outer = new Calls((input) => student.forward(input), student);
    expect(thrownBy(() => student.forward(x())).message).toBe(
      `${SENTENCE} (in 'layers.1.bn1' of Net).`,
    );
    expect(thrownBy(() => outer.forward(x())).message).toBe(
      `${SENTENCE} (in 'inner': 'layers.1.bn1' of Net).`,
    );
    const bn = new nn.BatchNorm1d(9);
    const hides = new nn.Sequential(
      new nn.ReLU(),
      new Calls((input) => bn.forward(input)) as never,
    );
    expect(thrownBy(() => hides.forward(x())).message).toMatch(/\(in '1'\)\.$/);
    const twice = new Calls((input) => outer.forward(input));
    expect(thrownBy(() => twice.forward(x())).message).toBe(
      `${SENTENCE} (in 'inner' of Calls: 'layers.1.bn1' of Net).`,
    );
  });

  it('of a PReLU that would be computed with the BatchNorm before it has its own', () => {
    const model = new nn.Sequential(
      new nn.BatchNorm1d(4),
      new nn.PReLU({ numParameters: 3 }),
      new nn.ReLU(),
    );
    expect(thrownBy(() => model.forward(x())).message).toBe(
      "prelu: expected a weight of 1 or 4 values, one a channel, got shape [3] for an input of shape [3, 4] (in '1').",
    );
    const prelu = model[1] as nn.PReLU;
    prelu.weight = new nn.Parameter(tensor([1], { dtype: 'float64' }));
    expect(thrownBy(() => model.forward(x())).message).toMatch(/^prelu: .*float64.*\(in '1'\)\.$/);
    prelu.weight.dispose();
    expect(thrownBy(() => model.forward(x())).message).toMatch(/^prelu: .*\(in '1'\)\.$/);
  });
});

describe('an error that stays as it is', () => {
  const through = (thrown: unknown): unknown => {
    const inner = new Calls(() => {
      throw thrown;
    });
    const model = new Calls((input) => inner.forward(input), inner);
    return thrownBy(() => model.forward(x()));
  };

  it('is one that a forward of a class of your own throws, and anything else', () => {
    const error = new TypeError('mine');
    const { stack } = error;
    expect(through(error)).toBe(error);
    expect(error.message).toBe('mine');
    expect(error.stack).toBe(stack);
    for (const thrown of ['text', null, undefined, 5, { message: 'like one' }]) {
      expect(through(thrown)).toBe(thrown);
    }
    expect((through(Object.create(Error.prototype)) as Error).message).toBe('');
  });

  it('is the end of the stack', () => {
    const inner: Calls = new Calls((input) => inner.forward(input));
    const model = new Calls((input) => inner.forward(input), inner);
    expect(thrownBy(() => model.forward(x())).message).toBe('Maximum call stack size exceeded');
  });

  it('is one of ours that is frozen, or whose message somebody has changed on the way', () => {
    const ours = (change: (error: Error) => void): Calls => {
      const inner = new Calls((input) => {
        const error = thrownBy(() => functional.cat([input], { dim: 7 }));
        change(error);
        throw error;
      });
      const middle = new Calls((input) => inner.forward(input), inner);
      return new Calls((input) => {
        try {
          return middle.forward(input);
        } catch (error) {
          change(error as Error);
          throw error;
        }
      }, middle);
    };
    expect(thrownBy(() => ours(Object.freeze).forward(x())).message).toMatch(/got 7\.$/);
    const model = ours((error) => (error.message = `mine: ${error.message}`));
    const outer = new Calls((input) => model.forward(input), model);
    expect(thrownBy(() => outer.forward(x())).message).toMatch(
      /^mine: mine: cat: .* \(in 'inner'\)\.$/,
    );
  });

  it('keeps the class, the code and what else it has', () => {
    const inner = new Calls((input) => {
      const error = thrownBy(() => functional.cat([input], { dim: 7 }));
      throw Object.assign(error, { code: 'ERR', cause: 1 });
    });
    const error = thrownBy(() => new Calls((input) => inner.forward(input), inner).forward(x()));
    expect(error).toMatchObject({ code: 'ERR', cause: 1, name: 'RangeError' });
    expect(error.message).toContain("(in 'inner')");
  });
});

describe('a forward that tells where errors are from', () => {
  it('is put before that of a class once, with its name and its number of arguments', () => {
    class Own extends nn.Module {
      forward(a: unknown, b: unknown): unknown {
        return [this, a, b];
      }
    }

    const before = Own.prototype.forward;
    const own = new Own();

    const after = Own.prototype.forward;
    expect(after).not.toBe(before);
    expect([after.name, after.length]).toEqual(['forward', 2]);
    expect(own.forward(1, 2)).toEqual([own, 1, 2]);
    new Own();
    expect(Own.prototype.forward).toBe(after);
  });

  it('is not put before one of a class that is frozen', () => {
    class Frozen extends nn.Module {
      forward(): number {
        return 1;
      }
    }
    Object.freeze(Frozen.prototype);
    expect(new Frozen().forward()).toBe(1);
    expect(() => {
      tellPlaces(Frozen.prototype);
    }).not.toThrow();
  });
});
