/**
 * A writer of WebAssembly binaries (WebAssembly Core 2.0, chapter 5): expressions are byte lists that leave their value
 * on the stack, and composing them is appending. No more of the format is here than the interpreter needs.
 */
export type Code = readonly number[];

/** Unsigned LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return bytes;
}

/** Signed LEB128. */
function signed(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    if ((rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0)) {
      bytes.push(low);
      return bytes;
    }
    bytes.push(low | 0x80);
  }
}

type Binary = (left: Code, right: Code) => Code;
type Unary = (operand: Code) => Code;

function binary(opcode: number): Binary {
  return (left, right) => [...left, ...right, opcode];
}

function unary(opcode: number): Unary {
  return (operand) => [...operand, opcode];
}

/** Alignment hints are all 0: guests access what they like. */
function load(opcode: number): (address: Code, offset: number) => Code {
  return (address, offset) => [...address, opcode, 0, ...unsigned(offset)];
}

function store(opcode: number): (address: Code, value: Code, offset: number) => Code {
  return (address, value, offset) => [...address, ...value, opcode, 0, ...unsigned(offset)];
}

export const get = (index: number): Code => [0x20, ...unsigned(index)];
export const set = (index: number, value: Code): Code => [...value, 0x21, ...unsigned(index)];
export const tee = (index: number, value: Code): Code => [...value, 0x22, ...unsigned(index)];
export const branch = (depth: number): Code => [0x0c, ...unsigned(depth)];
export const branchIf = (condition: Code, depth: number): Code => [...condition, 0x0d, ...unsigned(depth)];
export const fill = (address: Code, value: Code, length: Code): Code => [
  ...address,
  ...value,
  ...length,
  0xfc,
  11,
  0,
];
/** The condition comes last on the stack, as the instruction wants it. */
export const select = (condition: Code, whenTrue: Code, whenFalse: Code): Code => [
  ...whenTrue,
  ...whenFalse,
  ...condition,
  0x1b,
];

/** Names are WebAssembly's own. */
export const i32: {
  readonly const: (value: number) => Code;
  readonly eqz: Unary;
  readonly wrap: Unary;
  readonly clz: Unary;
  readonly ctz: Unary;
  readonly popcnt: Unary;
  readonly extend8: Unary;
  readonly load: (address: Code, offset: number) => Code;
  readonly load8: (address: Code, offset: number) => Code;
  readonly load16: (address: Code, offset: number) => Code;
  readonly store: (address: Code, value: Code, offset: number) => Code;
  readonly store8: (address: Code, value: Code, offset: number) => Code;
  readonly eq: Binary;
  readonly ne: Binary;
  readonly ltS: Binary;
  readonly ltU: Binary;
  readonly gtS: Binary;
  readonly gtU: Binary;
  readonly add: Binary;
  readonly sub: Binary;
  readonly mul: Binary;
  readonly divS: Binary;
  readonly divU: Binary;
  readonly remS: Binary;
  readonly remU: Binary;
  readonly and: Binary;
  readonly or: Binary;
  readonly xor: Binary;
  readonly shl: Binary;
  readonly shrS: Binary;
  readonly shrU: Binary;
  readonly rotl: Binary;
} = {
  const: (value) => [0x41, ...signed(BigInt(value | 0))],
  eqz: unary(0x45),
  wrap: unary(0xa7),
  clz: unary(0x67),
  ctz: unary(0x68),
  popcnt: unary(0x69),
  extend8: unary(0xc0),
  load: load(0x28),
  load8: load(0x2d),
  load16: load(0x2f),
  store: store(0x36),
  store8: store(0x3a),
  eq: binary(0x46),
  ne: binary(0x47),
  ltS: binary(0x48),
  ltU: binary(0x49),
  gtS: binary(0x4a),
  gtU: binary(0x4b),
  add: binary(0x6a),
  sub: binary(0x6b),
  mul: binary(0x6c),
  divS: binary(0x6d),
  divU: binary(0x6e),
  remS: binary(0x6f),
  remU: binary(0x70),
  and: binary(0x71),
  or: binary(0x72),
  xor: binary(0x73),
  shl: binary(0x74),
  shrS: binary(0x75),
  shrU: binary(0x76),
  rotl: binary(0x77),
};

export const i64: {
  readonly const: (value: bigint) => Code;
  readonly eqz: Unary;
  readonly fromS: Unary;
  readonly fromU: Unary;
  readonly clz: Unary;
  readonly ctz: Unary;
  readonly popcnt: Unary;
  readonly extend8: Unary;
  readonly extend16: Unary;
  readonly extend32: Unary;
  readonly load: (address: Code, offset: number) => Code;
  readonly load8: (address: Code, offset: number) => Code;
  readonly load16: (address: Code, offset: number) => Code;
  readonly load32: (address: Code, offset: number) => Code;
  readonly store: (address: Code, value: Code, offset: number) => Code;
  readonly store8: (address: Code, value: Code, offset: number) => Code;
  readonly store16: (address: Code, value: Code, offset: number) => Code;
  readonly store32: (address: Code, value: Code, offset: number) => Code;
  readonly eq: Binary;
  readonly ne: Binary;
  readonly ltS: Binary;
  readonly ltU: Binary;
  readonly gtS: Binary;
  readonly gtU: Binary;
  readonly geU: Binary;
  readonly add: Binary;
  readonly sub: Binary;
  readonly mul: Binary;
  readonly divS: Binary;
  readonly divU: Binary;
  readonly remS: Binary;
  readonly remU: Binary;
  readonly and: Binary;
  readonly or: Binary;
  readonly xor: Binary;
  readonly shl: Binary;
  readonly shrS: Binary;
  readonly shrU: Binary;
  readonly rotl: Binary;
} = {
  const: (value) => [0x42, ...signed(BigInt.asIntN(64, value))],
  eqz: unary(0x50),
  fromS: unary(0xac),
  fromU: unary(0xad),
  clz: unary(0x79),
  ctz: unary(0x7a),
  popcnt: unary(0x7b),
  extend8: unary(0xc2),
  extend16: unary(0xc3),
  extend32: unary(0xc4),
  load: load(0x29),
  load8: load(0x31),
  load16: load(0x33),
  load32: load(0x35),
  store: store(0x37),
  store8: store(0x3c),
  store16: store(0x3d),
  store32: store(0x3e),
  eq: binary(0x51),
  ne: binary(0x52),
  ltS: binary(0x53),
  ltU: binary(0x54),
  gtS: binary(0x55),
  gtU: binary(0x56),
  geU: binary(0x5a),
  add: binary(0x7c),
  sub: binary(0x7d),
  mul: binary(0x7e),
  divS: binary(0x7f),
  divU: binary(0x80),
  remS: binary(0x81),
  remU: binary(0x82),
  and: binary(0x83),
  or: binary(0x84),
  xor: binary(0x85),
  shl: binary(0x86),
  shrS: binary(0x87),
  shrU: binary(0x88),
  rotl: binary(0x89),
};

/** A vector instruction by its number behind the prefix. */
export const simd = (number: number, ...operands: readonly Code[]): Code => [
  ...operands.flat(),
  0xfd,
  ...unsigned(number),
];
export const v128: {
  readonly load: (address: Code, offset: number) => Code;
  readonly store: (address: Code, value: Code, offset: number) => Code;
  readonly const: (bytes: readonly number[]) => Code;
  readonly splat8: (value: Code) => Code;
  readonly swizzle: (value: Code, lanes: Code) => Code;
  readonly add8: (left: Code, right: Code) => Code;
  readonly sub8: (left: Code, right: Code) => Code;
  readonly and: (left: Code, right: Code) => Code;
  readonly or: (left: Code, right: Code) => Code;
  readonly xor: (left: Code, right: Code) => Code;
  readonly anyTrue: (value: Code) => Code;
  readonly allTrue8: (value: Code) => Code;
} = {
  load: (address, offset) => [...address, 0xfd, 0, 0, ...unsigned(offset)],
  store: (address, value, offset) => [...address, ...value, 0xfd, 11, 0, ...unsigned(offset)],
  const: (bytes) => [0xfd, 12, ...bytes],
  splat8: (value) => simd(15, value),
  swizzle: (value, lanes) => simd(14, value, lanes),
  add8: (left, right) => simd(110, left, right),
  sub8: (left, right) => simd(113, left, right),
  and: (left, right) => simd(78, left, right),
  or: (left, right) => simd(80, left, right),
  xor: (left, right) => simd(81, left, right),
  anyTrue: (value) => simd(83, value),
  allTrue8: (value) => simd(99, value),
};

export const I32 = 0x7f;
export const I64 = 0x7e;
export const V128 = 0x7b;
const VOID = 0x40;

export const block = (body: Code): Code => [0x02, VOID, ...body, 0x0b];
export const loop = (body: Code): Code => [0x03, VOID, ...body, 0x0b];
export const ifThen = (condition: Code, body: Code): Code => [...condition, 0x04, VOID, ...body, 0x0b];
export const branchTable = (index: Code, depths: readonly number[], otherwise: number): Code => [
  ...index,
  0x0e,
  ...unsigned(depths.length),
  ...depths.flatMap(unsigned),
  ...unsigned(otherwise),
];
export const call = (index: number, ...operands: readonly Code[]): Code => [
  ...operands.flat(),
  0x10,
  ...unsigned(index),
];

export interface WasmFunction {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
  readonly locals: readonly number[];
  readonly body: Code;
}

function vector(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()];
}

function section(id: number, content: Code): Code {
  return [id, ...unsigned(content.length), ...content];
}

function text(value: string): Code {
  return [...unsigned(value.length), ...Array.from(value, (letter) => letter.charCodeAt(0))];
}

function bodyOf(made: WasmFunction): Code {
  const code = [...vector(made.locals.map((type) => [1, type])), ...made.body, 0x0b];
  return [...unsigned(code.length), ...code];
}

/** A module that imports one memory as `env.memory` and exports function 0 under `name`. */
export function moduleOf(
  name: string,
  functions: readonly WasmFunction[],
  pages: number,
): Uint8Array<ArrayBuffer> {
  const types = functions.map((made) => [
    0x60,
    ...vector(made.parameters.map((type) => [type])),
    ...vector(made.results.map((type) => [type])),
  ]);
  const memory = [...text('env'), ...text('memory'), 0x02, 0x01, ...unsigned(pages), ...unsigned(pages)];
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  return Uint8Array.from([
    ...header,
    ...section(1, vector(types)),
    ...section(2, vector([memory])),
    ...section(3, vector(functions.map((_, index) => unsigned(index)))),
    ...section(7, vector([[...text(name), 0x00, 0x00]])),
    ...section(10, vector(functions.map(bodyOf))),
  ]);
}
