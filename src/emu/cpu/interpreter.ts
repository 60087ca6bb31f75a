import { AT } from './layout.ts';
import { engine, type WasmMemory } from './engine.ts';
import { OPERATIONS } from './isa/table.ts';
import { JUMPING } from './isa/branch.ts';
import { Kit, L } from './kit.ts';
import {
  block,
  branch,
  branchIf,
  branchTable,
  get,
  I32,
  I64,
  i32,
  i64,
  loop,
  moduleOf,
  set,
  V128,
  type Code,
  type WasmFunction,
} from './wasm.ts';

const NAMES: readonly string[] = Object.keys(OPERATIONS);
const NUMBERS: ReadonlyMap<string, number> = new Map(NAMES.map((name, index) => [name, index]));

/** The number that a decoded instruction carries. */
export function operationNumber(name: string): number {
  const found = NUMBERS.get(name);
  if (found === undefined) throw new Error(`there is no operation ${name}`);
  return found;
}

const JUMPS_ITSELF: ReadonlySet<string> = new Set([...JUMPING, 'undecoded', 'assist', 'pageend']);

/** High 64 bits of a product of unsigned doublewords, by halves. */
const HIGH_PRODUCT: WasmFunction = {
  parameters: [I64, I64],
  results: [I64],
  locals: [I64, I64],
  body: (() => {
    const low = (value: Code): Code => i64.and(value, i64.const(0xffff_ffffn));
    const high = (value: Code): Code => i64.shrU(value, i64.const(32n));
    const a = get(0);
    const b = get(1);
    const cross = i64.add(i64.mul(high(a), low(b)), high(i64.mul(low(a), low(b))));
    const other = i64.add(i64.mul(low(a), high(b)), low(get(2)));
    return [
      ...set(2, cross),
      ...set(3, other),
      ...i64.add(i64.add(i64.mul(high(a), high(b)), high(get(2))), high(get(3))),
    ];
  })(),
};

/**
 * One function: a loop around a table of operations, each behind its own label, and two ways out. Registers live in
 * memory, so the machine's state is whole whenever it returns.
 */
function interpreter(): WasmFunction {
  const count = NAMES.length;
  const dispatch: Code = [
    ...branchIf(i32.eqz(get(L.remaining)), count + 1),
    ...set(L.remaining, i32.sub(get(L.remaining), i32.const(1))),
    ...branchTable(
      i32.load16(get(L.at), 0),
      NAMES.map((_, index) => index),
      0,
    ),
  ];
  const chunks: Code[] = [dispatch];
  for (const [index, name] of NAMES.entries()) {
    const kit = new Kit(count - 1 - index);
    const emit = OPERATIONS[name];
    chunks.push([0x0b], emit?.(kit) ?? []);
    if (!JUMPS_ITSELF.has(name)) chunks.push(kit.next());
  }
  const opened = Array.from({ length: count }, () => [0x02, 0x40]).flat();
  const body = loop([...opened, ...chunks.flat()]);
  const kit = new Kit(0);
  return {
    parameters: [I32],
    results: [I32],
    locals: [I32, I32, I32, I64, I32, I32, I32, I64, I64, I64, I64, I32, I32, I32, V128],
    body: [
      ...set(L.remaining, get(L.budget)),
      ...set(L.dataCache, i32.load(i32.const(0), AT.dataCache)),
      ...set(L.codeCache, i32.load(i32.const(0), AT.codeCache)),
      ...block([
        ...block([
          // Outside the loop there is one label less between here and the ways out.
          ...new Kit(-1).land(kit.doubleword(AT.pc)),
          ...body,
          ...branch(0),
        ]),
        ...kit.setDoubleword(AT.pc, kit.pc),
      ]),
      ...kit.setDoubleword(
        AT.icount,
        i64.add(kit.doubleword(AT.icount), i64.fromU(i32.sub(get(L.budget), get(L.remaining)))),
      ),
      ...get(L.why),
    ],
  };
}

/** Compiled once a process: it has no state of its own. */
const COMPILED: Map<number, object> = new Map();

/** Starts at most `budget` instructions from the state in memory; says why it came back (WHY). */
export type Run = (budget: number) => number;

export function instantiate(memory: WasmMemory): Run {
  const pages = memory.buffer.byteLength / 65_536;
  let compiled = COMPILED.get(pages);
  if (compiled === undefined) {
    compiled = new engine.Module(moduleOf('run', [interpreter(), HIGH_PRODUCT], pages));
    COMPILED.set(pages, compiled);
  }
  const { run } = new engine.Instance(compiled, { env: { memory } }).exports;
  return run as Run;
}
