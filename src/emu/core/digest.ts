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
    let k = Math.imul(value, 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    k = Math.imul(k, 0x1b873593);
    let h = (this.#lanes[lane] ?? 0) ^ k;
    h = (h << 13) | (h >>> 19);
    this.#lanes[lane] = Math.imul(h, 5) + 0xe6546b64;
  }

  /** Little-endian words, the tail padded with zeros; the caller digests lengths that may vary. */
  bytes(data: Uint8Array): void {
    const whole = data.length & ~3;
    for (let i = 0; i < whole; i += 4) {
      this.word(
        (data[i] ?? 0) | ((data[i + 1] ?? 0) << 8) | ((data[i + 2] ?? 0) << 16) | ((data[i + 3] ?? 0) << 24),
      );
    }
    let tail = 0;
    for (let i = whole; i < data.length; i++) tail |= (data[i] ?? 0) << (8 * (i - whole));
    if (whole < data.length) this.word(tail);
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

function finalMix(value: number): number {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
