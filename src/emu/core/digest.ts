/**
 * A 128-bit digest of machine state: four lanes of MurmurHash3's 32-bit mixing step (Appleby, public domain), lane
 * chosen by position. It detects accidents, not attackers; recordings carry SHA-256 over their bytes for those.
 * It is here, and not a library, because it runs synchronously inside the emulator several thousand times a second.
 */
export class Digest {
  readonly #lanes: Uint32Array = new Uint32Array(4);
  #count = 0;

  word(value: number): void {
    const lane = this.#count++ & 3;
    this.#lanes[lane] = mix(this.#lanes[lane] ?? 0, value);
  }

  /** Little-endian words, the tail padded with zeros; the caller digests lengths that may vary. */
  bytes(data: Uint8Array): void {
    let at = 0;
    // Where words lie aligned and the lanes stand at the first, four words a turn: pages of memory, which are most.
    if ((this.#count & 3) === 0 && (data.byteOffset & 3) === 0) at = this.#rounds(data);
    const whole = data.length & ~3;
    for (; at < whole; at += 4) {
      this.word(
        (data[at] ?? 0) |
          ((data[at + 1] ?? 0) << 8) |
          ((data[at + 2] ?? 0) << 16) |
          ((data[at + 3] ?? 0) << 24),
      );
    }
    let tail = 0;
    for (let i = whole; i < data.length; i++) tail |= (data[i] ?? 0) << (8 * (i - whole));
    if (whole < data.length) this.word(tail);
  }

  /** As many whole turns of four words as there are; returns the bytes they took. The host is little-endian. */
  #rounds(data: Uint8Array): number {
    const words = new Uint32Array(data.buffer, data.byteOffset, (data.length >>> 4) << 2);
    const lanes = this.#lanes;
    let [a = 0, b = 0, c = 0, d = 0] = lanes;
    for (let i = 0; i < words.length; i += 4) {
      a = mix(a, words[i] ?? 0);
      b = mix(b, words[i + 1] ?? 0);
      c = mix(c, words[i + 2] ?? 0);
      d = mix(d, words[i + 3] ?? 0);
    }
    lanes[0] = a;
    lanes[1] = b;
    lanes[2] = c;
    lanes[3] = d;
    this.#count += words.length;
    return words.byteLength;
  }

  /** 32 hexadecimal digits. Reading does not disturb the digest; more may be added after. */
  hex(): string {
    const [a = 0, b = 0, c = 0, d = 0] = this.#lanes;
    const mixed = [a ^ this.#count, b ^ a, c ^ b, d ^ c];
    let carry = 0;
    let text = '';
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 4; i++) {
        carry = finalMix((mixed[i] ?? 0) ^ carry);
        mixed[i] = carry;
      }
    }
    for (const lane of mixed) text += (lane >>> 0).toString(16).padStart(8, '0');
    return text;
  }
}

function mix(lane: number, value: number): number {
  let k = Math.imul(value, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  let h = lane ^ Math.imul(k, 0x1b873593);
  h = (h << 13) | (h >>> 19);
  return (Math.imul(h, 5) + 0xe6546b64) | 0;
}

function finalMix(value: number): number {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
