// The two containers of torch.save: a zip archive (since 1.6), and before that one stream of pickles with
// the storages behind them. Both come to one object that knows where its storages' bytes are.
// Longer than 250 lines because both containers share how pickles and storages are read out of the budget.
import * as check from '../../check/index.js';
import { COST } from '../budget.js';
import { unpickle } from '../pickle/pickle.js';
import { CutShort, type World } from '../pickle/machine.js';
import { Dict, Foreign, kindOf, List, Tuple, type Caller, type Value } from '../pickle/values.js';
import {
  allocate,
  readBytes,
  readExtent,
  type Extent,
  type Source,
  type Steps,
} from '../source.js';
import { Storage, StorageType, StorageView, torchGlobal, wholeOf } from './globals.js';
import { quoted } from '../sentences.js';
import { Zip } from './zip.js';

/** `torch.serialization.MAGIC_NUMBER` and `PROTOCOL_VERSION` of the legacy format. */
const MAGIC = 0x1950a86a20f9469cfc6cn;
const VERSION = 1001;

/** So much of a legacy file is read at first for its pickles; four times as much where they go on. */
const FIRST_BYTES = 2 ** 18;
/** Enough to tell one format from another. */
const SNIFFED_BYTES = 512;

/** The object that torch.save was given. */
export function* readArchive(caller: Caller, source: Source): Steps<Value> {
  const { who } = caller;
  const { size } = source;
  const bytes = yield* readBytes(who, source, 0, Math.min(size, SNIFFED_BYTES));
  const start = Buffer.from(bytes.subarray(0, 4)).toString('latin1');
  if (start === 'PK\x03\x04') return yield* readZip(caller, yield* Zip.open(who, source), source);
  if (start.startsWith('\x80')) return yield* readLegacy(caller, source);
  const isTar = Buffer.from(bytes.subarray(257, 262)).toString('latin1') === 'ustar';
  const isSafetensors = bytes[8] === 0x7b && size > 9;
  throw check.wrongValue(
    who,
    'a file of torch.save',
    isTar
      ? 'a tar archive (of PyTorch before 0.1.10: load it there and save it again)'
      : isSafetensors
        ? 'what looks like safetensors (for these there is loadSafetensors)'
        : otherFile(bytes, size),
  );
}

/** What people download by mistake. */
function otherFile(bytes: Uint8Array, size: number): string {
  const text = Buffer.from(bytes).toString('latin1').trimStart();
  if (size === 0) return 'an empty file';
  if (text.startsWith('version https://git-lfs')) {
    return 'a pointer of Git LFS, not the file itself (run git lfs pull)';
  }
  if (/^<(?:!doctype|html|\?xml)/i.test(text)) return 'a web page (was the download refused?)';
  return `${size} bytes of something else`;
}

/** What a persistent id tells: ('storage', type, key, location, numel, view). The location is no matter. */
interface StorageId {
  readonly type: StorageType;
  readonly key: string;
  readonly numel: number;
  readonly view: Value | undefined;
}

function world(caller: Caller, storage: (id: StorageId) => StorageView): World {
  const { who, budget } = caller;
  return {
    global: (module, name) => torchGlobal(caller, module, name),
    persistent(id) {
      const [tag, type, key, , numel, view] = id instanceof Tuple ? id.items : [];
      // A pickled module tells its source code so, in the legacy format. And some devices have storages of
      // classes of their own.
      if (tag === 'module' && type instanceof Foreign) return type;
      if (tag === 'storage' && type instanceof Foreign) return type.object;
      if (tag !== 'storage' || !(type instanceof StorageType) || typeof key !== 'string') {
        throw check.wrongValue(who, 'persistent ids of storages only', kindOf(tag ?? id));
      }
      budget.spend(2 * COST.object + key.length);
      return storage({ type, key, numel: wholeOf(who, "a storage's size", numel), view });
    },
  };
}

/** The storage of that key, which is made once and has to be the same each time. */
function once(
  who: string,
  storages: Map<string, Storage>,
  { type, key, numel }: StorageId,
  extentOf?: (length: number) => Extent,
): Storage {
  // Text of digits only has the same hash in every process: a file could choose keys that all have one.
  const name = `/${key}`;
  const known = storages.get(name);
  if (known === undefined) {
    const made = new Storage(type, numel);
    if (extentOf !== undefined) made.extent = extentOf(numel * type.bytes);
    storages.set(name, made);
    return made;
  }
  if (known.type.name === type.name && known.numel === numel) return known;
  throw check.wrongValue(
    who,
    `one type and size of storage ${quoted(key)}`,
    `${known.type.name} of ${known.numel} and ${type.name} of ${numel}`,
  );
}

function* readZip(caller: Caller, zip: Zip, source: Source): Steps<Value> {
  const { who } = caller;
  const root = rootOf(who, zip);
  const read = (name: string): Steps<Uint8Array> => readWhole(who, source, zip.find(name));
  if (zip.has(`${root}byteorder`)) {
    const order = Buffer.from(yield* read(`${root}byteorder`)).toString('latin1');
    if (order !== 'little') {
      throw check.wrongValue(who, 'little-endian storages', `byteorder ${quoted(order)}`);
    }
  }
  const storages = new Map<string, Storage>();
  const rules = world(caller, (id) => {
    const storage = once(who, storages, id, (length) => {
      const extent = zip.find(`${root}data/${id.key}`);
      if (extent.length === length) return extent;
      const what = `storage ${quoted(id.key)} of ${length} bytes`;
      throw check.wrongValue(who, what, String(extent.length));
    });
    return new StorageView(storage, 0, storage.numel);
  });
  const pickle = yield* read(`${root}data.pkl`);
  return (yield* unpickle(caller, pickle, rules)).value;
}

/** An entry of the archive that has to be in memory whole. */
function* readWhole(who: string, source: Source, extent: Extent): Steps<Uint8Array> {
  const bytes = allocate(who, extent.length);
  yield* readExtent(who, source, extent, (at, length) => bytes.subarray(at, at + length));
  return bytes;
}

/** The folder that everything in the archive is in, with its slash. */
function rootOf(who: string, zip: Zip): string {
  for (const name of zip.names) {
    if (!/^[^/]+\/data\.pkl$/.test(name)) continue;
    const root = name.slice(0, -'data.pkl'.length);
    if (!zip.has(`${root}constants.pkl`)) return root;
    throw check.wrongValue(
      who,
      'a file of torch.save',
      'a TorchScript archive (load it with torch.jit.load and save its state_dict())',
    );
  }
  throw check.wrongValue(who, 'a file of torch.save', 'a zip archive without data.pkl');
}

function* readLegacy(caller: Caller, source: Source): Steps<Value> {
  const { who } = caller;
  const roots = new Map<string, Storage>();
  const rules = world(caller, (id) => {
    const storage = once(who, roots, id);
    return id.view === undefined || id.view === null
      ? new StorageView(storage, 0, storage.numel)
      : part(who, storage, id.view);
  });
  const pickles = new Pickles(caller, source, rules);
  const magic = yield* pickles.next();
  if (magic !== MAGIC) {
    throw check.wrongValue(who, 'a file of torch.save', 'a pickle that torch.save did not write');
  }
  const version = yield* pickles.next();
  if (version !== VERSION) {
    const got = typeof version === 'number' ? String(version) : kindOf(version);
    throw check.wrongValue(who, `version ${VERSION} of the legacy format`, got);
  }
  const system = yield* pickles.next();
  if (system instanceof Dict && system.get('little_endian') === false) {
    throw check.wrongValue(who, 'little-endian storages', 'a file of a big-endian machine');
  }
  const result = yield* pickles.next();
  const keys = yield* pickles.next();
  yield* placeStorages(who, roots, keys, source, pickles.end);
  return result;
}

/** The pickles that a legacy file begins with. Where they end only they tell. */
class Pickles {
  /** Where the next one begins. */
  end = 0;
  private bytes: Uint8Array = new Uint8Array(0);

  constructor(
    private readonly caller: Caller,
    private readonly source: Source,
    private readonly rules: World,
  ) {}

  /** Reads one; again, with more of the file, where what is here of it (at first nothing) ends before it. */
  *next(): Steps<Value> {
    const { caller, source, rules } = this;
    for (;;) {
      const isAll = this.bytes.length === source.size;
      const { remaining } = caller.budget;
      try {
        const { value, end } = yield* unpickle(caller, this.bytes, rules, this.end);
        this.end = end;
        return value;
      } catch (error) {
        if (!(error instanceof CutShort) || isAll) throw error;
      }
      caller.budget.restore(remaining - caller.budget.remaining);
      const length = Math.min(source.size, Math.max(FIRST_BYTES, 4 * this.bytes.length));
      this.bytes = yield* readBytes(caller.who, source, 0, length);
    }
  }
}

/** (key, offset, numel) of a storage that is part of another. */
function part(who: string, storage: Storage, view: Value): StorageView {
  const [, offset, numel] = view instanceof Tuple ? view.items : [];
  const start = wholeOf(who, "a view's offset", offset);
  const length = wholeOf(who, "a view's size", numel);
  if (start + length <= storage.numel) return new StorageView(storage, start, length);
  throw check.wrongValue(
    who,
    `a view inside of its storage of ${storage.numel}`,
    `${length} elements from ${start} on`,
  );
}

/** In the order of `keys`: the number of elements, the elements. */
function* placeStorages(
  who: string,
  roots: ReadonlyMap<string, Storage>,
  keys: Value,
  source: Source,
  start: number,
): Steps<void> {
  const list = keys instanceof List ? keys.items : [];
  if (list.length !== roots.size) {
    throw check.wrongValue(who, `the keys of ${roots.size} storages`, `${list.length}`);
  }
  const placed = new Set<Storage>();
  let at = start;
  for (const key of list) {
    const storage = typeof key === 'string' ? roots.get(`/${key}`) : undefined;
    if (storage === undefined || typeof key !== 'string') {
      throw check.wrongValue(who, 'keys of storages', kindOf(key));
    }
    if (placed.has(storage)) {
      throw check.wrongValue(who, 'each key of a storage once', `a second ${quoted(key)}`);
    }
    placed.add(storage);
    const { numel, type } = storage;
    const end = at + 8 + numel * type.bytes;
    const isInside = end <= source.size;
    if (!isInside || (yield* readCount(who, source, at)) !== BigInt(numel)) {
      const got = isInside ? 'another number' : 'the end of the file';
      throw check.wrongValue(who, `storage ${quoted(key)} of ${numel} elements`, got);
    }
    storage.extent = { position: at + 8, length: end - at - 8 };
    at = end;
    yield;
  }
  if (at !== source.size) {
    throw check.wrongValue(who, 'nothing behind the storages', `${source.size - at} bytes`);
  }
}

function* readCount(who: string, source: Source, at: number): Steps<bigint> {
  const bytes = yield* readBytes(who, source, at, 8);
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
}
