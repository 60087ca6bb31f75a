/**
 * As much of a Power assembler as the agent needs (Power ISA 3.0B, book I and III; big-endian words). Branches name
 * labels, which may stand before or after them.
 */
export class Assembler {
  readonly #base: number;
  readonly #words: number[] = [];
  readonly #labels: Map<string, number> = new Map();
  readonly #branches: { at: number; label: string; conditional: boolean }[] = [];

  /** `base`: the address of the first word, as far as branches leave this piece. */
  constructor(base = 0) {
    this.#base = base;
  }

  /** The code; throws where a label is missing. */
  bytes(): Uint8Array {
    for (const { at, label, conditional } of this.#branches) {
      const to = this.addressOf(label);
      const mask = conditional ? 0xfffc : 0x03ff_fffc;
      this.#words[at] = ((this.#words[at] ?? 0) | ((to - (this.#base + 4 * at)) & mask)) >>> 0;
    }
    const bytes = new Uint8Array(4 * this.#words.length);
    const view = new DataView(bytes.buffer);
    for (const [i, word] of this.#words.entries()) view.setUint32(4 * i, word);
    return bytes;
  }

  /** Where a label stands. */
  addressOf(name: string): number {
    const address = this.#labels.get(name);
    if (address === undefined) throw new Error(`no label is called ${name}`);
    return address;
  }

  label(name: string): this {
    this.#labels.set(name, this.#base + 4 * this.#words.length);
    return this;
  }

  /** A label of another piece, by its address. */
  outside(name: string, address: number): this {
    this.#labels.set(name, address);
    return this;
  }

  word(...words: number[]): this {
    for (const word of words) this.#words.push(word >>> 0);
    return this;
  }

  b(label: string): this {
    this.#branches.push({ at: this.#words.length, label, conditional: false });
    return this.word(0x4800_0000);
  }

  beq(label: string): this {
    return this.#conditional(0x4182_0000, label);
  }

  bne(label: string): this {
    return this.#conditional(0x4082_0000, label);
  }

  ble(label: string): this {
    return this.#conditional(0x4081_0000, label);
  }

  /** Counts CTR down and branches while it is not 0. */
  bdnz(label: string): this {
    return this.#conditional(0x4200_0000, label);
  }

  #conditional(word: number, label: string): this {
    this.#branches.push({ at: this.#words.length, label, conditional: true });
    return this.word(word);
  }

  li(rt: number, value: number): this {
    return this.addi(rt, 0, value);
  }

  addi(rt: number, ra: number, value: number): this {
    return this.word(dForm(14, rt, ra, value));
  }

  /** Any 64-bit constant, in five instructions. */
  constant(rt: number, value: bigint): this {
    const part = (shift: bigint): number => Number((value >> shift) & 0xffffn);
    return this.word(
      dForm(15, rt, 0, part(48n)),
      dForm(24, rt, rt, part(32n)),
      // sldi rt,rt,32
      0x7800_07c6 | (rt << 21) | (rt << 16),
      dForm(25, rt, rt, part(16n)),
      dForm(24, rt, rt, part(0n)),
    );
  }

  ld(rt: number, offset: number, ra: number): this {
    return this.word(dForm(58, rt, ra, offset));
  }

  std(rs: number, offset: number, ra: number): this {
    return this.word(dForm(62, rs, ra, offset));
  }

  lwz(rt: number, offset: number, ra: number): this {
    return this.word(dForm(32, rt, ra, offset));
  }

  stw(rs: number, offset: number, ra: number): this {
    return this.word(dForm(36, rs, ra, offset));
  }

  lbz(rt: number, offset: number, ra: number): this {
    return this.word(dForm(34, rt, ra, offset));
  }

  stb(rs: number, offset: number, ra: number): this {
    return this.word(dForm(38, rs, ra, offset));
  }

  lhz(rt: number, offset: number, ra: number): this {
    return this.word(dForm(40, rt, ra, offset));
  }

  /** Compares a word with a small number. */
  cmpwi(ra: number, value: number): this {
    return this.word(dForm(11, 0, ra, value));
  }

  /** Compares doublewords. */
  cmpd(ra: number, rb: number): this {
    return this.word(xForm(1, ra, rb, 0));
  }

  subf(rt: number, ra: number, rb: number): this {
    return this.word(xForm(rt, ra, rb, 40));
  }

  mtspr(spr: number, rs: number): this {
    return this.word(sprForm(rs, spr, 467));
  }

  mfspr(rt: number, spr: number): this {
    return this.word(sprForm(rt, spr, 339));
  }

  mftb(rt: number): this {
    return this.mfspr(rt, 268);
  }

  sc(level: 0 | 1): this {
    return this.word(scWord(level));
  }

  rfid(): this {
    return this.word(0x4c00_0024);
  }
}

export function scWord(level: 0 | 1): number {
  return 0x4400_0002 | (level << 5);
}

/** An indexed load or store: `rt` and the address in `rb`. */
export function indexed(rt: number, rb: number, extended: number): number {
  return xForm(rt, 0, rb, extended);
}

function dForm(opcode: number, rt: number, ra: number, immediate: number): number {
  return ((opcode << 26) | (rt << 21) | (ra << 16) | (immediate & 0xffff)) >>> 0;
}

function xForm(rt: number, ra: number, rb: number, extended: number): number {
  return ((31 << 26) | (rt << 21) | (ra << 16) | (rb << 11) | (extended << 1)) >>> 0;
}

function sprForm(r: number, spr: number, extended: number): number {
  return ((31 << 26) | (r << 21) | ((spr & 0x1f) << 16) | ((spr >> 5) << 11) | (extended << 1)) >>> 0;
}
