const PAGE = 4096;
const NOTHING = new Uint8Array(0);

/** What the guest is known to have stored: pages of RAM that it wrote to while somebody watched. */
export class GuestMemoryView {
  /** The stream shows guest writes at all. */
  seen = false;
  readonly #pages: Map<number, Uint8Array> = new Map();
  readonly #spare: Uint8Array[] = [];
  #lastNumber = -1;
  #lastPage: Uint8Array = new Uint8Array(0);

  begin(): void {
    this.seen = false;
    this.#lastNumber = -1;
    for (const page of this.#pages.values()) this.#spare.push(page);
    this.#pages.clear();
  }

  write(address: number, bytes: Uint8Array, from: number, length: number): void {
    this.seen = true;
    let at = address;
    let left = length;
    let source = from;
    while (left > 0) {
      const inside = at % PAGE;
      const step = Math.min(left, PAGE - inside);
      const page = this.#pageFor((at - inside) / PAGE);
      if (step <= 16) for (let i = 0; i < step; i++) page[inside + i] = bytes[source + i] ?? 0;
      else page.set(bytes.subarray(source, source + step), inside);
      at += step;
      source += step;
      left -= step;
    }
  }

  /** Whether the page of an address was ever written to; bytes of it that were not read 0. */
  knows(address: number): boolean {
    return this.#pages.has(Math.floor(address / PAGE));
  }

  byte(address: number): number {
    return this.#page(address)[address % PAGE] ?? 0;
  }

  half(address: number, little: boolean): number {
    const inside = address % PAGE;
    const page = this.#page(address);
    const first = page[inside] ?? 0;
    const second = inside === PAGE - 1 ? this.byte(address + 1) : (page[inside + 1] ?? 0);
    return little ? first | (second << 8) : (first << 8) | second;
  }

  word(address: number, little: boolean): number {
    const inside = address % PAGE;
    if (inside > PAGE - 4) {
      const first = this.half(address, little);
      const second = this.half(address + 2, little);
      return (little ? first | (second << 16) : (first << 16) | second) >>> 0;
    }
    const page = this.#page(address);
    const a = page[inside] ?? 0;
    const b = page[inside + 1] ?? 0;
    const c = page[inside + 2] ?? 0;
    const d = page[inside + 3] ?? 0;
    return (little ? a | (b << 8) | (c << 16) | (d << 24) : (a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  }

  /** The page of an address as far as it is known: nothing of others. */
  #page(address: number): Uint8Array {
    const number = Math.floor(address / PAGE);
    if (number === this.#lastNumber) return this.#lastPage;
    const page = this.#pages.get(number);
    if (page === undefined) return NOTHING;
    this.#lastNumber = number;
    this.#lastPage = page;
    return page;
  }

  #pageFor(number: number): Uint8Array {
    if (number === this.#lastNumber) return this.#lastPage;
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = this.#spare.pop()?.fill(0) ?? new Uint8Array(PAGE);
      this.#pages.set(number, page);
    }
    this.#lastNumber = number;
    this.#lastPage = page;
    return page;
  }
}
