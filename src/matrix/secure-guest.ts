/** A guest that becomes secure before it looks at any device, and what it then does with memory for DMA (guests.md 3). */
import { DirectWindowMapper, PhysicalMapper, type DmaMapper } from '../emu/guest/dma-map.ts';
import { GuestDriver, type DriverOptions } from '../emu/guest/driver.ts';
import type { SecureGuestPlatform } from '../emu/guest/platform.ts';
import { KERNEL_AT, laySecureImage, TREE_AT } from '../emu/guest/secure-image.ts';
import type { GuestTraits } from '../emu/guest/systems.ts';
import {
  FRAME_BYTES,
  MSR_S,
  UV_ESM,
  UV_SHARE_PAGE,
  UV_UNSHARE_ALL_PAGES,
  UV_UNSHARE_PAGE,
} from '../emu/ultravisor/abi.ts';

/** The bounce pool (swiotlb), above the driver's own memory. */
const POOL = 0x80_0000;
const POOL_BYTES = 0x10_0000;

export class SecureGuest extends GuestDriver {
  readonly #platform: SecureGuestPlatform;
  readonly #traits: GuestTraits;

  constructor(platform: SecureGuestPlatform, traits: GuestTraits, options: DriverOptions) {
    // Every frame has one state, so nothing that is shared may lie beside what is not.
    const profile = { ...options.profile, putsSingly: true };
    super(platform, { ...options, profile, leastAlign: FRAME_BYTES });
    this.#platform = platform;
    this.#traits = traits;
  }

  /** mfmsr: whether the guest runs in secure mode. */
  get secure(): boolean {
    return (this.#platform.msr & MSR_S) !== 0n;
  }

  /** What UV_ESM answers; 0 once the guest is secure, for then it goes on at the kernel's entry instead. */
  become(): number {
    laySecureImage(this.#platform);
    const status = this.ucall(UV_ESM, KERNEL_AT, TREE_AT);
    if (!this.secure) return status;
    if (this.#traits.secure !== 'rings-only') this.#share(POOL, POOL_BYTES);
    return 0;
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
      this.mapper = new SecureMapper(this.mapper, this.#platform, this.#traits, (gpa, bytes) => {
        this.#share(gpa, bytes);
      });
    }
    return super.setUpQueues();
  }

  /** Linux names frames by its own page numbers, whatever the size of its pages (PHYS_PFN). */
  #share(gpa: number, bytes: number): void {
    const first = gpa >>> this.#traits.pageShift;
    const last = (gpa + bytes - 1) >>> this.#traits.pageShift;
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
    { secure }: GuestTraits,
    share: (gpa: number, bytes: number) => void,
  ) {
    // 5.4: no dma_iommu_ops, so plain addresses of the pool go into the descriptors.
    this.#raw = secure === 'pool-raw';
    this.#inner = this.#raw ? new PhysicalMapper() : inner;
    this.#platform = platform;
    this.#share = share;
    // Behind the default window the IOMMU's own operations run, which know no pool (arch/powerpc/kernel/dma-iommu.c).
    const direct = inner instanceof DirectWindowMapper && inner.direct;
    this.#shares = this.#raw || direct;
    this.#bounces = secure !== 'rings-only' && this.#shares;
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
