const ELEMENTS_FIRST = 8;
/** Elements that are described; what a hostile chain has beyond is only counted. */
const ELEMENTS_MAX = 1024;
/** Bytes of a direction that are kept; what lies beyond is only counted. */
const KEPT_MAX = 0x2_0000;
const KEPT_FIRST = 64;

/**
 * One buffer that the driver offers: its elements in order, and what was seen of their bytes. Readable and writable
 * bytes count on through the elements of each direction, as the device-type chapters of the specification count them.
 * Kept for a whole stream and filled anew: nothing may be held on to.
 */
export class Chain {
  /** Head of a split chain, buffer id of a packed one. */
  id = 0;
  /** Elements that hold data; `elementsSeen` also counts those beyond what is described. */
  count = 0;
  elementsSeen = 0;
  /** Descriptors in the ring itself: what a packed ring counts on by. */
  descriptors = 0;
  indirect = false;
  /** Bytes of both directions, as described. */
  readableBytes = 0;
  writableBytes = 0;
  /** A writable element stands before a readable one. */
  misordered = false;
  /** The driver's publication was seen, and the device's reading of it. */
  byDriver = false;
  taken = false;
  inFlight = false;
  /** Events at which it was made available, taken and used; 0: not seen. */
  availableAt = 0;
  takenAt = 0;
  usedAt = 0;
  /** What the used entry said. */
  usedLength = 0;
  /** Which one it was on its queue, counted from 0 in the order of publication (of taking, without guest writes). */
  serial = 0;
  /** What was seen of the readable bytes: the device's view where it read, the driver's before. */
  request: Uint8Array = new Uint8Array(KEPT_FIRST);
  /** As many of `request` are known from the first on. */
  requestKnown = 0;
  /** As many bytes the device read, counted once a read. */
  requestRead = 0;
  /** What the device wrote, by place in the writable bytes. */
  response: Uint8Array = new Uint8Array(KEPT_FIRST);
  /** End of the last byte that was written, and how many were, counted once a write. */
  responseEnd = 0;
  responseWritten = 0;

  #low: Float64Array = new Float64Array(ELEMENTS_FIRST);
  #length: Float64Array = new Float64Array(ELEMENTS_FIRST);
  #write: Uint8Array = new Uint8Array(ELEMENTS_FIRST);
  /** Where each element begins in the bytes of its direction. */
  #start: Float64Array = new Float64Array(ELEMENTS_FIRST);

  /** A new life of the chain with this id. */
  open(id: number): void {
    this.id = id;
    this.byDriver = false;
    this.taken = false;
    this.inFlight = true;
    this.availableAt = 0;
    this.takenAt = 0;
    this.usedAt = 0;
    this.usedLength = 0;
    this.requestKnown = 0;
    this.requestRead = 0;
    this.responseEnd = 0;
    this.responseWritten = 0;
    this.describe();
  }

  /** Elements are described anew. */
  describe(): void {
    this.count = 0;
    this.elementsSeen = 0;
    this.descriptors = 0;
    this.indirect = false;
    this.readableBytes = 0;
    this.writableBytes = 0;
    this.misordered = false;
  }

  /** `address` is -1 where it is not below 2^53. */
  add(address: number, length: number, write: boolean): void {
    this.elementsSeen++;
    if (this.count < ELEMENTS_MAX) {
      if (this.count === this.#low.length) this.#grow();
      const at = this.count++;
      this.#low[at] = address;
      this.#length[at] = length;
      this.#write[at] = write ? 1 : 0;
      this.#start[at] = write ? this.writableBytes : this.readableBytes;
    }
    if (write) this.writableBytes += length;
    else {
      this.readableBytes += length;
      this.misordered ||= this.writableBytes > 0;
    }
  }

  /** Device address of element `at`; -1 where it is not below 2^53. */
  address(at: number): number {
    return this.#low[at] ?? -1;
  }

  length(at: number): number {
    return this.#length[at] ?? 0;
  }

  writable(at: number): boolean {
    return this.#write[at] === 1;
  }

  /** Where element `at` begins in the bytes of its direction. */
  start(at: number): number {
    return this.#start[at] ?? 0;
  }

  /** The element of a direction that holds the byte at a device address; -1 if none does. */
  find(address: number, write: boolean): number {
    const wanted = write ? 1 : 0;
    for (let at = 0; at < this.count; at++) {
      const from = address - (this.#low[at] ?? 0);
      if (from >= 0 && from < (this.#length[at] ?? 0) && this.#write[at] === wanted && address >= 0)
        return at;
    }
    return -1;
  }

  /** The device read `length` bytes from byte `at` of the readable ones. */
  sawRequest(at: number, bytes: Uint8Array, from: number, length: number): void {
    this.requestRead += length;
    this.fillRequest(at, bytes, from, length);
  }

  /** Bytes of the request are known from somewhere. */
  fillRequest(at: number, bytes: Uint8Array, from: number, length: number): void {
    const end = Math.min(at + length, KEPT_MAX);
    if (at >= end) return;
    if (this.request.length < end) this.request = grown(this.request, end);
    for (let i = at; i < end; i++) this.request[i] = bytes[from + i - at] ?? 0;
    if (at <= this.requestKnown && end > this.requestKnown) this.requestKnown = end;
  }

  /** The device wrote `length` bytes to byte `at` of the writable ones. */
  sawResponse(at: number, bytes: Uint8Array, from: number, length: number): void {
    this.responseWritten += length;
    if (at + length > this.responseEnd) this.responseEnd = at + length;
    const end = Math.min(at + length, KEPT_MAX);
    if (at >= end) return;
    if (this.response.length < end) this.response = grown(this.response, end);
    for (let i = at; i < end; i++) this.response[i] = bytes[from + i - at] ?? 0;
  }

  /** Little-endian numbers of the request and the response; a transitional device's own order is the caller's to know. */
  request16(at: number, little = true): number {
    return half(this.request, at, little);
  }

  request32(at: number, little = true): number {
    return word(this.request, at, little);
  }

  response16(at: number, little = true): number {
    return half(this.response, at, little);
  }

  response32(at: number, little = true): number {
    return word(this.response, at, little);
  }

  #grow(): void {
    const size = 4 * this.#low.length;
    const low = new Float64Array(size);
    low.set(this.#low);
    this.#low = low;
    const length = new Float64Array(size);
    length.set(this.#length);
    this.#length = length;
    const start = new Float64Array(size);
    start.set(this.#start);
    this.#start = start;
    const write = new Uint8Array(size);
    write.set(this.#write);
    this.#write = write;
  }
}

function grown(bytes: Uint8Array, least: number): Uint8Array {
  let size = bytes.length;
  while (size < least) size *= 4;
  const larger = new Uint8Array(size);
  larger.set(bytes);
  return larger;
}

export function half(bytes: Uint8Array, at: number, little: boolean): number {
  const first = bytes[at] ?? 0;
  const second = bytes[at + 1] ?? 0;
  return little ? first | (second << 8) : (first << 8) | second;
}

export function word(bytes: Uint8Array, at: number, little: boolean): number {
  return little
    ? (half(bytes, at, true) | (half(bytes, at + 2, true) << 16)) >>> 0
    : ((half(bytes, at, false) << 16) | half(bytes, at + 2, false)) >>> 0;
}
