/**
 * What becoming secure does to a guest's memory and calls, as far as a device or the host can tell: a small world of
 * ultravisor, hypervisor and plain text beside the emulated machine. RAM of the machine is the host's view, so a frame
 * that is not shared holds ciphertext there, and its plain text lives here. A device that is given the address of such
 * a frame really reads ciphertext, and what it writes there really spoils the frame.
 *
 * Sources: the released ultravisor, KVM's book3s_hv_uvmem.c and Linux, as rules R15 and R33 … R41 quote them. Keys,
 * integrity trees and page-out are not modelled: ciphertext is a fixed scrambling by frame.
 */
import type { GuestPlatform } from '../emu/guest/platform.ts';

export const FRAME_BYTES = 0x1_0000;
const FRAME_SHIFT = 16;

/** The guest's memory slot: what UV_ESM seals. Outside it no guest here keeps anything. */
const SLOT_FROM = 0x40_0000;
const SLOT_TO = 0xa0_0000;
const SLOT_BYTES: number = SLOT_TO - SLOT_FROM;
const FIRST_FRAME: number = SLOT_FROM / FRAME_BYTES;
const END_FRAME: number = SLOT_TO / FRAME_BYTES;

const H_SUCCESS = 0;
const H_PARAMETER = -4;
const H_AUTHORITY = -10;
const H_UNSUPPORTED = -67;
const U_P2 = -55;

/** Slips that can be planted, so that whoever judges can be seen to notice. */
export type SecureSlip =
  | 'forget-to-zero'
  | 'no-ciphertext'
  | 'pass-all-registers'
  | 'answer-anybody'
  | 'page-out-on-reset'
  | 'forget-unshare-all'
  | 'ignore-capability';

/** KVM's side of secure guests (book3s_hv_uvmem.c): who may start, and in which order. */
export class SecureHypervisor {
  readonly #capability: boolean;
  readonly #anybody: boolean;
  #started = false;
  #done = false;

  /** `capability`: KVM_CAP_PPC_SECURE_GUEST is on, or does not exist and nothing is asked. */
  constructor(capability: boolean, slip?: SecureSlip) {
    this.#capability = capability || slip === 'ignore-capability';
    this.#anybody = slip === 'answer-anybody';
  }

  get secure(): boolean {
    return this.#done;
  }

  /** `fromSecure`: SRR1 has the S bit, so that the ultravisor is the caller. */
  start(fromSecure: boolean): number {
    if (!fromSecure && !this.#anybody) return H_UNSUPPORTED;
    // The bit is set before anything is checked; that is what lets the abort that follows succeed.
    this.#started = true;
    return this.#capability ? H_SUCCESS : H_AUTHORITY;
  }

  done(fromSecure: boolean): number {
    if ((!fromSecure && !this.#anybody) || !this.#started) return H_UNSUPPORTED;
    this.#done = true;
    return H_SUCCESS;
  }

  pageIn(fromSecure: boolean): number {
    return (fromSecure || this.#anybody) && this.#started ? H_SUCCESS : H_UNSUPPORTED;
  }

  pageOut(fromSecure: boolean): number {
    return this.pageIn(fromSecure);
  }

  /** Undoes a start; what it returns is what the guest finds in r3. */
  abort(): number {
    if (!this.#started) return H_UNSUPPORTED;
    this.#started = false;
    return H_PARAMETER;
  }

  /** KVM_PPC_SVM_OFF, at every reset of the machine. */
  off(): void {
    this.#started = false;
    this.#done = false;
  }
}

/** Registers in, r3 included, and registers out, by hypercall: all that the ultravisor reflects (ultravisor 4). */
const REFLECTED: Readonly<Record<number, readonly [inputs: number, outputs: number]>> = {
  0x1c: [3, 2],
  0x20: [4, 1],
  0x3c: [3, 2],
  0x40: [4, 1],
  0x64: [2, 1],
  0x68: [2, 1],
  0x6c: [3, 1],
  0x70: [2, 3],
  0x74: [1, 2],
  0x138: [5, 1],
  0x13c: [5, 1],
  0xf000: [2, 1],
};

/** The seam seen from inside a guest that is, or may become, secure. */
export class SecurePlatform implements GuestPlatform {
  readonly registers: BigUint64Array<ArrayBuffer> = new BigUint64Array(10);
  readonly hypervisor: SecureHypervisor;
  readonly #inner: GuestPlatform;
  readonly #cipher: Uint8Array;
  readonly #slip: SecureSlip | undefined;
  readonly #plain: Uint8Array = new Uint8Array(SLOT_BYTES);
  readonly #view: DataView = new DataView(this.#plain.buffer);
  /** By frame number: 0 secure, 1 shared on the guest's word, 2 shared by the ultravisor for its calls. */
  readonly #shared: Uint8Array = new Uint8Array(END_FRAME);
  readonly #frame: Uint8Array = new Uint8Array(FRAME_BYTES);
  #secure = false;

  /** `hidden`: what `ciphertext()` makes; one serves every guest. */
  constructor(inner: GuestPlatform, capability: boolean, hidden: Uint8Array, slip?: SecureSlip) {
    this.#inner = inner;
    this.#cipher = hidden;
    this.#slip = slip;
    this.hypervisor = new SecureHypervisor(capability, slip);
  }

  get secure(): boolean {
    return this.#secure;
  }

  get ramBytes(): number {
    return this.#inner.ramBytes;
  }

  get deviceTree(): Uint8Array {
    return this.#inner.deviceTree;
  }

  get timebase(): number {
    return this.#inner.timebase;
  }

  /** UV_ESM: all or nothing. What the guest finds in r3. `implicit`: frames that the ultravisor needs shared. */
  enterSecureMode(implicit: readonly number[]): number {
    if (this.hypervisor.start(true) !== H_SUCCESS) return this.hypervisor.abort();
    this.#inner.loadBytes(SLOT_FROM, this.#plain, 0, SLOT_BYTES);
    for (let frame = FIRST_FRAME; frame < END_FRAME; frame++) this.#scramble(frame);
    this.#secure = true;
    for (const frame of implicit) this.#open(frame, 2);
    return this.hypervisor.done(true);
  }

  /** UV_SHARE_PAGE: the frame becomes the host's too, and is zeroed unless it was shared already. */
  share(gfn: number, count: number): number {
    if (gfn < FIRST_FRAME || gfn + count > END_FRAME) return U_P2;
    for (let frame = gfn; frame < gfn + count; frame++) if (this.#shared[frame] === 0) this.#open(frame, 1);
    return 0;
  }

  unshare(gfn: number, count: number): number {
    if (gfn < FIRST_FRAME || gfn + count > END_FRAME) return U_P2;
    for (let frame = gfn; frame < gfn + count; frame++) if (this.#shared[frame] === 1) this.#close(frame);
    return 0;
  }

  /** UV_UNSHARE_ALL_PAGES, on the way into kexec. */
  unshareAll(): void {
    if (this.#slip === 'forget-unshare-all') return;
    for (let frame = 0; frame < this.#shared.length; frame++)
      if (this.#shared[frame] === 1) this.#close(frame);
  }

  get explicitlyShared(): number {
    return this.#shared.reduce((sum, state) => sum + (state === 1 ? 1 : 0), 0);
  }

  /** KVM_PPC_SVM_OFF: an ordinary guest again; secure frames are dropped, not paged out. */
  switchOff(): void {
    if (this.#slip === 'page-out-on-reset') this.#inner.storeBytes(SLOT_FROM, this.#plain, 0, SLOT_BYTES);
    this.hypervisor.off();
    this.#secure = false;
    this.#plain.fill(0);
    this.#shared.fill(0);
  }

  /**
   * Of frames that somebody wrote to, the secure ones whose encrypted copy is no longer what the ultravisor put there:
   * their next page-in fails.
   */
  spoiled(frames: Iterable<number>): number {
    let count = 0;
    for (const frame of frames) {
      if (!this.#secure || frame < FIRST_FRAME || frame >= END_FRAME || this.#shared[frame] !== 0) continue;
      this.#inner.loadBytes(frame * FRAME_BYTES, this.#frame, 0, FRAME_BYTES);
      const at = frame * FRAME_BYTES - SLOT_FROM;
      if (this.#frame.some((byte, offset) => byte !== this.#cipher[at + offset])) count++;
    }
    return count;
  }

  #scramble(frame: number): void {
    if (this.#slip === 'no-ciphertext') {
      this.#inner.storeBytes(frame * FRAME_BYTES, this.#plain, frame * FRAME_BYTES - SLOT_FROM, FRAME_BYTES);
      return;
    }
    this.#inner.storeBytes(frame * FRAME_BYTES, this.#cipher, frame * FRAME_BYTES - SLOT_FROM, FRAME_BYTES);
  }

  #open(frame: number, state: 1 | 2): void {
    // The ultravisor's own pages keep their content: it put there what it wants the host to see.
    const at = frame * FRAME_BYTES - SLOT_FROM;
    if (state === 1 && this.#slip !== 'forget-to-zero') this.#frame.fill(0);
    else this.#frame.set(this.#plain.subarray(at, at + FRAME_BYTES));
    this.#inner.storeBytes(frame * FRAME_BYTES, this.#frame, 0, FRAME_BYTES);
    this.#shared[frame] = state;
  }

  #close(frame: number): void {
    const at = frame * FRAME_BYTES - SLOT_FROM;
    this.#plain.fill(0, at, at + FRAME_BYTES);
    this.#shared[frame] = 0;
    this.#scramble(frame);
  }

  /** Whether the guest's own loads and stores at an address go to plain text that the host cannot see. */
  #hidden(address: number): boolean {
    if (this.#slip === 'no-ciphertext') return false;
    return (
      this.#secure && address >= SLOT_FROM && address < SLOT_TO && this.#shared[address >>> FRAME_SHIFT] === 0
    );
  }

  load8(address: number): number {
    return this.#hidden(address) ? this.#view.getUint8(address - SLOT_FROM) : this.#inner.load8(address);
  }

  load16(address: number, littleEndian: boolean): number {
    if (!this.#hidden(address)) return this.#inner.load16(address, littleEndian);
    return this.#view.getUint16(address - SLOT_FROM, littleEndian);
  }

  load32(address: number, littleEndian: boolean): number {
    if (!this.#hidden(address)) return this.#inner.load32(address, littleEndian);
    return this.#view.getUint32(address - SLOT_FROM, littleEndian);
  }

  load64(address: number, littleEndian: boolean): bigint {
    if (!this.#hidden(address)) return this.#inner.load64(address, littleEndian);
    return this.#view.getBigUint64(address - SLOT_FROM, littleEndian);
  }

  /** A run of bytes lies in one frame's state, as the guests here lay their buffers out. */
  loadBytes(address: number, into: Uint8Array, at: number, length: number): void {
    if (this.#hidden(address))
      into.set(this.#plain.subarray(address - SLOT_FROM, address - SLOT_FROM + length), at);
    else this.#inner.loadBytes(address, into, at, length);
  }

  store8(address: number, value: number): void {
    if (this.#hidden(address)) this.#view.setUint8(address - SLOT_FROM, value);
    else this.#inner.store8(address, value);
  }

  store16(address: number, value: number, littleEndian: boolean): void {
    if (this.#hidden(address)) this.#view.setUint16(address - SLOT_FROM, value, littleEndian);
    else this.#inner.store16(address, value, littleEndian);
  }

  store32(address: number, value: number, littleEndian: boolean): void {
    if (this.#hidden(address)) this.#view.setUint32(address - SLOT_FROM, value, littleEndian);
    else this.#inner.store32(address, value, littleEndian);
  }

  store64(address: number, value: bigint, littleEndian: boolean): void {
    if (this.#hidden(address)) this.#view.setBigUint64(address - SLOT_FROM, value, littleEndian);
    else this.#inner.store64(address, value, littleEndian);
  }

  storeBytes(address: number, from: Uint8Array, at: number, length: number): void {
    if (this.#hidden(address)) this.#plain.set(from.subarray(at, at + length), address - SLOT_FROM);
    else this.#inner.storeBytes(address, from, at, length);
  }

  /** The ultravisor passes on what the call declares, and gives back what it declares. */
  hcall(): void {
    const inner = this.#inner.registers;
    const token = Number(BigInt.asUintN(32, this.registers[0] ?? 0n));
    const open = !this.#secure || this.#slip === 'pass-all-registers';
    const [inputs, outputs] = open ? [10, 10] : (REFLECTED[token] ?? [1, 1]);
    for (let i = 0; i < inner.length; i++) inner[i] = i < inputs ? (this.registers[i] ?? 0n) : 0n;
    this.#inner.hcall();
    for (let i = 0; i < outputs; i++) this.registers[i] = inner[i] ?? 0n;
  }

  ucall(): void {
    this.#inner.ucall();
  }

  read(address: number, width: 1 | 2 | 4, bigEndian: boolean): number {
    return this.#inner.read(address, width, bigEndian);
  }

  write(address: number, width: 1 | 2 | 4, value: number, bigEndian: boolean): void {
    this.#inner.write(address, width, value, bigEndian);
  }

  read64(address: number, bigEndian: boolean): bigint {
    return this.#inner.read64(address, bigEndian);
  }

  write64(address: number, value: bigint, bigEndian: boolean): void {
    this.#inner.write64(address, value, bigEndian);
  }

  setCpu(cpu: number, msr: bigint): void {
    this.#inner.setCpu(cpu, msr);
  }

  interruptPending(): boolean {
    return this.#inner.interruptPending();
  }

  advance(ticks: number): void {
    this.#inner.advance(ticks);
  }

  idle(): void {
    this.#inner.idle();
  }
}

/** What the host sees of secure memory: bytes that depend on their place alone and look like none of the guest's. */
export function ciphertext(): Uint8Array {
  const words = new Int32Array(SLOT_BYTES / 4);
  let state = 0x1e3779b1;
  for (let at = 0; at < words.length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[at] = state;
  }
  return new Uint8Array(words.buffer);
}
