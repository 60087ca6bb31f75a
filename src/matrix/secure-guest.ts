/** A guest that becomes secure before it looks at any device, and what it then does with memory for DMA (guests.md 3). */
import { DirectWindowMapper, PhysicalMapper, type DmaMapper } from '../emu/guest/dma-map.ts';
import { GuestDriver, type DriverOptions } from '../emu/guest/driver.ts';
import type { GuestTraits } from '../emu/guest/systems.ts';
import { FRAME_BYTES, SecurePlatform } from './secure-world.ts';

/** Where the driver keeps its RTAS buffer and TCE list: shared by the ultravisor, which passes RTAS calls on. */
const CALL_FRAME = 0x40_0000 / FRAME_BYTES;
/** The bounce pool (swiotlb), above the driver's own memory. */
const POOL = 0x80_0000;
const POOL_BYTES = 0x10_0000;

export class SecureGuest extends GuestDriver {
  readonly #platform: SecurePlatform;
  readonly #traits: GuestTraits;

  constructor(platform: SecurePlatform, traits: GuestTraits, options: DriverOptions) {
    // Every frame has one state, so nothing that is shared may lie beside what is not.
    super(platform, { ...options, leastAlign: FRAME_BYTES });
    this.#platform = platform;
    this.#traits = traits;
  }

  /** What UV_ESM answers; 0 once the guest is secure. */
  become(): number {
    const status = this.#platform.enterSecureMode([CALL_FRAME]);
    if (status === 0 && this.#traits.secure !== 'rings-only') this.#share(POOL, POOL_BYTES);
    return status;
  }

  override setUpQueues(): boolean {
    if (this.#platform.secure && !(this.mapper instanceof PhysicalMapper)) {
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
    this.#platform.share(first, last - first + 1);
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
  readonly #platform: SecurePlatform;
  readonly #share: (gpa: number, bytes: number) => void;
  readonly #raw: boolean;
  readonly #bounces: boolean;
  readonly #shares: boolean;
  readonly #live: Map<number, Bounced> = new Map();
  readonly #scratch: Uint8Array = new Uint8Array(FRAME_BYTES);
  #next = POOL;

  constructor(
    inner: DmaMapper,
    platform: SecurePlatform,
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
