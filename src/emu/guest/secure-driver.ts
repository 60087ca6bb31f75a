/** A guest that becomes secure before it looks at any device, and what it then does with memory for DMA (guests.md 3). */
import { H_REGISTER_PROC_TBL, H_REGISTER_VPA } from '../papr/abi.ts';
import {
  FRAME_BYTES,
  MSR_S,
  UV_ESM,
  UV_SHARE_PAGE,
  UV_UNSHARE_ALL_PAGES,
  UV_UNSHARE_PAGE,
} from '../ultravisor/abi.ts';
import { DirectWindowMapper, PhysicalMapper, type DmaMapper } from './dma-map.ts';
import { GuestDriver, type DriverOptions } from './driver.ts';
import type { SecureGuestPlatform } from './platform.ts';
import type { SecureHabits } from './profiles.ts';
import { KERNEL_AT, laySecureImage, TREE_AT, type ImageOptions } from './secure-image.ts';

/** The bounce pool (swiotlb), above the driver's own memory. */
const POOL = 0x80_0000;
const POOL_BYTES = 0x10_0000;
/** One block of 1 KiB for each CPU, and a page that holds dispatch logs. */
const LPPACAS = 0xa0_0000;
const LPPACA_BYTES = 1024;
const DISPATCH_LOG = 0xa1_0000;
const DISPATCH_LOG_BYTES = 4096;
const SECONDARY_ENTRY: number = KERNEL_AT + 0x60;
/** H_REGISTER_VPA: the function stands in bits 45 to 47. */
const REGISTER_VPA: number = 2 ** 45;
const REGISTER_DTL: number = 2 ** 46;
/** H_REGISTER_PROC_TBL: a new table, and neither radix nor a hash table of processes. */
const HASH_PROC_TBL = 0x18;
const USUAL: SecureHabits = { pool: 'shared', mmu: 'radix', cpus: 1 };

export class SecureGuest extends GuestDriver {
  readonly #platform: SecureGuestPlatform;
  readonly #habits: SecureHabits;

  constructor(platform: SecureGuestPlatform, options: DriverOptions) {
    // Every frame has one state, so nothing that is shared may lie beside what is not.
    const profile = { ...options.profile, putsSingly: true };
    super(platform, { ...options, profile, leastAlign: FRAME_BYTES });
    this.#platform = platform;
    this.#habits = profile.secure ?? USUAL;
  }

  /** mfmsr: whether the guest runs in secure mode. */
  get secure(): boolean {
    return (this.#platform.msr & MSR_S) !== 0n;
  }

  /** What UV_ESM answers; 0 once the guest is secure, for then it goes on at the kernel's entry instead. */
  become(image: ImageOptions = {}): number {
    if (this.#habits.mmu === 'hash') {
      for (let index = 1; index < 5; index++) this.calls.set(index, index === 1 ? HASH_PROC_TBL : 0);
      this.calls.hcall(H_REGISTER_PROC_TBL);
    }
    laySecureImage(this.#platform, image);
    const status = this.ucall(UV_ESM, KERNEL_AT, TREE_AT);
    if (!this.secure) return status;
    this.#setUp();
    return 0;
  }

  /** What a Linux does once it finds that it is secure, in that order (ultravisor 8). */
  #setUp(): void {
    this.#share(LPPACAS, this.#habits.cpus * LPPACA_BYTES);
    for (let cpu = 0; cpu < this.#habits.cpus; cpu++) this.#bringUp(cpu);
    if (this.#habits.pool !== 'missing') this.#share(POOL, POOL_BYTES);
    this.#share(DISPATCH_LOG, DISPATCH_LOG_BYTES);
    this.#register(REGISTER_DTL, 0, DISPATCH_LOG, DISPATCH_LOG_BYTES);
  }

  #bringUp(cpu: number): void {
    const msr = this.#platform.msr & ~MSR_S;
    if (cpu > 0) {
      this.calls.argument(0, cpu);
      this.calls.argument(1, SECONDARY_ENTRY);
      this.calls.argument(2, cpu);
      this.calls.rtas(this.firmware.hardware.tokens.get('start-cpu') ?? -1, 3, 1);
      this.#platform.setCpu(cpu, msr);
    }
    this.#register(REGISTER_VPA, cpu, LPPACAS + cpu * LPPACA_BYTES, LPPACA_BYTES);
    if (cpu > 0) this.#platform.setCpu(0, msr);
  }

  /** An area that the hypervisor reads and writes, with its length where the hypervisor looks for it. */
  #register(subfunction: number, cpu: number, at: number, bytes: number): void {
    if (subfunction === REGISTER_VPA) this.#platform.store16(at + 4, bytes, false);
    else this.#platform.store32(at + 4, bytes, false);
    this.calls.set(1, subfunction);
    this.calls.set(2, cpu);
    this.calls.set(3, at);
    this.calls.hcall(H_REGISTER_VPA);
  }

  /** What Linux does when UV_ESM comes back: it says so, and ends. */
  giveUp(): void {
    this.calls.argument(0, 0);
    this.calls.rtas(this.firmware.hardware.tokens.get('ibm,os-term') ?? -1, 1, 1);
  }

  share(gfn: number, count: number): number {
    return this.ucall(UV_SHARE_PAGE, gfn, count);
  }

  unshare(gfn: number, count: number): number {
    return this.ucall(UV_UNSHARE_PAGE, gfn, count);
  }

  /** On the way into kexec. */
  unshareAll(): number {
    return this.ucall(UV_UNSHARE_ALL_PAGES);
  }

  /** r3 of an ultracall. */
  ucall(number: number, ...inputs: readonly number[]): number {
    this.calls.set(0, number);
    for (const [index, value] of inputs.entries()) this.calls.set(1 + index, value);
    this.#platform.ucall();
    return this.calls.low(0) | 0;
  }

  override setUpQueues(): boolean {
    if (this.secure && !(this.mapper instanceof PhysicalMapper)) {
      this.mapper = new SecureMapper(this.mapper, this.#platform, this.#habits, (gpa, bytes) => {
        this.#share(gpa, bytes);
      });
    }
    return super.setUpQueues();
  }

  /** Linux names frames by its own page numbers, whatever the size of its pages (PHYS_PFN). */
  #share(gpa: number, bytes: number): void {
    const first = gpa >>> this.profile.pageShift;
    const last = (gpa + bytes - 1) >>> this.profile.pageShift;
    // A refusal is not looked at, as in Linux.
    this.share(first, last - first + 1);
  }
}

interface Bounced {
  readonly gpa: number;
  readonly slot: number;
  readonly length: number;
}

/** The DMA API of a secure kernel: coherent memory is shared, streaming buffers go through the pool where there is one. */
class SecureMapper implements DmaMapper {
  readonly #inner: DmaMapper;
  readonly #platform: SecureGuestPlatform;
  readonly #share: (gpa: number, bytes: number) => void;
  readonly #raw: boolean;
  readonly #bounces: boolean;
  readonly #shares: boolean;
  readonly #live: Map<number, Bounced> = new Map();
  readonly #scratch: Uint8Array = new Uint8Array(FRAME_BYTES);
  #next = POOL;

  constructor(
    inner: DmaMapper,
    platform: SecureGuestPlatform,
    { pool }: SecureHabits,
    share: (gpa: number, bytes: number) => void,
  ) {
    // 5.4: no dma_iommu_ops, so plain addresses of the pool go into the descriptors.
    this.#raw = pool === 'raw';
    this.#inner = this.#raw ? new PhysicalMapper() : inner;
    this.#platform = platform;
    this.#share = share;
    // Behind the default window the IOMMU's own operations run, which know no pool (arch/powerpc/kernel/dma-iommu.c).
    const direct = inner instanceof DirectWindowMapper && inner.direct;
    this.#shares = this.#raw || direct;
    this.#bounces = pool !== 'missing' && this.#shares;
  }

  get high(): number {
    return this.#inner.high;
  }

  reset(): void {
    this.#inner.reset();
    this.#live.clear();
  }

  mapCoherent(gpa: number, length: number): number {
    if (this.#shares) this.#share(gpa, length);
    return this.#inner.mapCoherent(gpa, length);
  }

  map(gpa: number, length: number, deviceWrites: boolean): number {
    if (!this.#bounces) return this.#inner.map(gpa, length, deviceWrites);
    const slot = this.#slot(length);
    this.#platform.loadBytes(gpa, this.#scratch, 0, length);
    this.#platform.storeBytes(slot, this.#scratch, 0, length);
    const low = this.#inner.map(slot, length, deviceWrites);
    this.#live.set(low, { gpa, slot, length });
    return low;
  }

  unmap(low: number, length: number): void {
    const bounced = this.#live.get(low);
    if (bounced !== undefined) {
      this.#live.delete(low);
      this.#platform.loadBytes(bounced.slot, this.#scratch, 0, bounced.length);
      this.#platform.storeBytes(bounced.gpa, this.#scratch, 0, bounced.length);
    }
    this.#inner.unmap(low, length);
  }

  /** Slots of 2 KiB, taken in turn: more than ever are in flight. */
  #slot(length: number): number {
    const bytes = Math.max(2048, length);
    if (this.#next + bytes > POOL + POOL_BYTES) this.#next = POOL;
    const slot = this.#next;
    this.#next += bytes;
    return slot;
  }
}
