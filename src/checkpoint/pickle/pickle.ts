// Python's pickles, protocols 2 to 5 (CPython, Lib/pickletools.py), as plain data and nothing else. No
// code of the file's runs: names are looked up in a list of ours (`World`). What is not on it is remembered
// by its name only; an opcode that is not on the list here is an error.
import { Machine, type World } from './machine.js';
import type { Caller, Value } from './values.js';
import type { Steps } from '../source.js';

/** So many opcodes are run between two turns of the event loop: 0.1 ms, for the most part. */
const TURN = 512;

/** Reads the pickle that begins at `at`; `end` is where it does. */
export function* unpickle(
  caller: Caller,
  bytes: Uint8Array,
  world: World,
  at = 0,
): Steps<{ value: Value; end: number }> {
  const machine = new Machine(caller, bytes, world, at);
  for (let count = 1; ; count++) {
    if (count % TURN === 0) yield;
    const code = machine.unsigned(1);
    if (code === STOP) return { value: machine.last(), end: machine.at };
    const run = OPCODES[code];
    if (run === undefined) throw machine.refused(code);
    run(machine);
  }
}

const STOP = 0x2e;

/** Beside them their names in pickletools. Not here, so refused: text protocols, INST, OBJ, EXT, buffers. */
const LIST: readonly (readonly [code: number, run: (m: Machine) => void])[] = [
  [0x80, (m) => m.protocol()], // PROTO
  [0x95, (m) => m.skip(8)], // FRAME
  [0x28, (m) => m.mark()], // MARK
  [0x30, (m) => void m.pop()], // POP
  [0x31, (m) => void m.popMark()], // POP_MARK
  [0x4e, (m) => m.push(null)], // NONE
  [0x88, (m) => m.push(true)], // NEWTRUE
  [0x89, (m) => m.push(false)], // NEWFALSE
  [0x49, (m) => m.push(m.decimal())], // INT
  [0x4a, (m) => m.push(m.int32())], // BININT
  [0x4b, (m) => m.push(m.unsigned(1))], // BININT1
  [0x4d, (m) => m.push(m.unsigned(2))], // BININT2
  [0x8a, (m) => m.push(m.long(m.unsigned(1)))], // LONG1
  [0x8b, (m) => m.push(m.long(m.unsigned(4)))], // LONG4
  [0x47, (m) => m.float()], // BINFLOAT
  [0x54, (m) => m.byteString(m.unsigned(4))], // BINSTRING
  [0x55, (m) => m.byteString(m.unsigned(1))], // SHORT_BINSTRING
  [0x58, (m) => m.push(m.text(m.unsigned(4)))], // BINUNICODE
  [0x8c, (m) => m.push(m.text(m.unsigned(1)))], // SHORT_BINUNICODE
  [0x8d, (m) => m.push(m.text(m.unsigned(8)))], // BINUNICODE8
  [0x42, (m) => m.bytesOf(m.unsigned(4))], // BINBYTES
  [0x43, (m) => m.bytesOf(m.unsigned(1))], // SHORT_BINBYTES
  [0x8e, (m) => m.bytesOf(m.unsigned(8))], // BINBYTES8
  [0x96, (m) => m.bytesOf(m.unsigned(8))], // BYTEARRAY8
  [0x29, (m) => m.emptyTuple()], // EMPTY_TUPLE
  [0x85, (m) => m.tuple(1)], // TUPLE1
  [0x86, (m) => m.tuple(2)], // TUPLE2
  [0x87, (m) => m.tuple(3)], // TUPLE3
  [0x74, (m) => m.markedTuple()], // TUPLE
  [0x5d, (m) => m.list()], // EMPTY_LIST
  [0x61, (m) => m.extend([m.pop()])], // APPEND
  [0x65, (m) => m.extend(m.popMark())], // APPENDS
  [0x7d, (m) => m.dict()], // EMPTY_DICT
  [0x73, (m) => m.setItem()], // SETITEM
  [0x75, (m) => m.setItems(m.popMark())], // SETITEMS
  [0x8f, (m) => m.set()], // EMPTY_SET
  [0x90, (m) => m.addItems()], // ADDITEMS
  [0x91, (m) => m.frozenSet()], // FROZENSET
  [0x71, (m) => m.remember(m.unsigned(1))], // BINPUT
  [0x72, (m) => m.remember(m.unsigned(4))], // LONG_BINPUT
  [0x94, (m) => m.memoize()], // MEMOIZE
  [0x68, (m) => m.recall(m.unsigned(1))], // BINGET
  [0x6a, (m) => m.recall(m.unsigned(4))], // LONG_BINGET
  [0x63, (m) => m.global(m.line(), m.line())], // GLOBAL
  [0x93, (m) => m.stackGlobal()], // STACK_GLOBAL
  [0x51, (m) => m.persistent()], // BINPERSID
  [0x52, (m) => m.reduce()], // REDUCE
  [0x81, (m) => m.reduce()], // NEWOBJ
  [0x92, (m) => m.reduceNamed()], // NEWOBJ_EX
  [0x62, (m) => m.build()], // BUILD
];

const OPCODES: readonly (((m: Machine) => void) | undefined)[] = Array.from(
  { length: 256 },
  (_, code) => LIST.find(([each]) => each === code)?.[1],
);
