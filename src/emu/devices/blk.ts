import type { HandlerId } from '../core/event-queue.ts';
import type { StateStream } from '../core/state.ts';
import { microseconds, type Duration } from '../core/time.ts';
import {
  VIRTIO_CONFIG_S_DRIVER_OK,
  VIRTIO_CONFIG_S_FEATURES_OK,
  VIRTIO_F_ANY_LAYOUT,
  VIRTIO_F_VERSION_1,
  VIRTIO_ID_BLOCK,
} from '../virtio/abi.ts';
import type { Chain } from '../virtio/chain.ts';
import { copyIn, copyOut } from '../virtio/chain-io.ts';
import { VirtioCore, type CoreParts } from '../virtio/core.ts';
import { featureSet, hasFeature } from '../virtio/features.ts';
import type { Virtqueue } from '../virtio/queue.ts';
import { SECTOR_BYTES, type Disk } from './backends/disk.ts';
import { guessGeometry, type DiskGeometry } from './backends/geometry.ts';
import * as abi from './blk-abi.ts';
import { ConfigWriter, doublings, LEGACY_ONLY } from './device.ts';

/** Properties of virtio-blk, each with QEMU's name and default (hw/block/virtio-blk.c, include/hw/block/block.h). */
export interface BlkOptions {
  readonly numQueues: number;
  readonly queueSize: number;
  readonly segMaxAdjust: boolean;
  readonly configWce: boolean;
  readonly scsi: boolean;
  readonly discard: boolean;
  readonly writeZeroes: boolean;
  readonly reportDiscardGranularity: boolean;
  readonly requestMerging: boolean;
  readonly enableWceIfConfigWce: boolean;
  readonly maxDiscardSectors: number;
  readonly maxWriteZeroesSectors: number;
  readonly logicalBlockSize: number;
  readonly physicalBlockSize: number;
  readonly minIoSize: number;
  readonly optIoSize: number;
  /** `discard_granularity`; undefined is QEMU's -1. */
  readonly discardGranularity: number | undefined;
  readonly writeCache: boolean;
  readonly serial: string;
  /** `cyls`, `heads` and `secs`; undefined where they are guessed. */
  readonly geometry: DiskGeometry | undefined;
}

/** Sectors of one request at most (BDRV_REQUEST_MAX_SECTORS). */
const REQUEST_SECTORS_MAX = 0x3fffff;

export const BLK_DEFAULTS: BlkOptions = {
  numQueues: 1,
  queueSize: 256,
  segMaxAdjust: true,
  configWce: true,
  scsi: false,
  discard: true,
  writeZeroes: true,
  reportDiscardGranularity: true,
  requestMerging: true,
  enableWceIfConfigWce: true,
  maxDiscardSectors: REQUEST_SECTORS_MAX,
  maxWriteZeroesSectors: REQUEST_SECTORS_MAX,
  logicalBlockSize: 512,
  physicalBlockSize: 512,
  minIoSize: 0,
  optIoSize: 0,
  discardGranularity: undefined,
  writeCache: true,
  serial: '',
  geometry: undefined,
};

/** How long the disk takes: long enough that a driver can do something meanwhile. */
const LATENCY: Duration = microseconds(10);
/** Requests that are sorted and handed on together (VIRTIO_BLK_MAX_MERGE_REQS). */
const BATCH = 32;
const CHUNK = 4096;

const READ = 0;
const WRITE = 1;
const FLUSH = 2;
const DISCARD = 3;
const WRITE_ZEROES = 4;
const ERASE = 5;
type Work = typeof READ | typeof WRITE | typeof FLUSH | typeof DISCARD | typeof WRITE_ZEROES | typeof ERASE;

/** Types that a driver with VERSION_1 has, those of zoned disks left out: this disk is none. */
const MODERN_TYPES: ReadonlySet<number> = new Set([
  abi.VIRTIO_BLK_T_IN,
  abi.VIRTIO_BLK_T_OUT,
  abi.VIRTIO_BLK_T_FLUSH,
  abi.VIRTIO_BLK_T_GET_ID,
  abi.VIRTIO_BLK_T_DISCARD,
  abi.VIRTIO_BLK_T_WRITE_ZEROES,
  abi.VIRTIO_BLK_T_SECURE_ERASE,
]);
/** Those that only a legacy driver has: SCSI commands either way, and the other name of a flush. */
const LEGACY_TYPES: ReadonlySet<number> = new Set([
  abi.VIRTIO_BLK_T_SCSI_CMD,
  abi.VIRTIO_BLK_T_SCSI_CMD | abi.VIRTIO_BLK_T_OUT,
  abi.VIRTIO_BLK_T_FLUSH | abi.VIRTIO_BLK_T_OUT,
]);

/** A request that the disk works on. */
class Request {
  chain: Chain | undefined = undefined;
  queue = 0;
  work: Work = READ;
  offset = 0;
  bytes = 0;
  busy = false;
}

/** The block device (VIRTIO 1.3, 5.2; QEMU hw/block/virtio-blk.c) on a disk in memory. */
export class BlkDevice extends VirtioCore {
  readonly virtioId: number = VIRTIO_ID_BLOCK;
  readonly name: string = 'virtio-blk';
  readonly legacyFeatures: bigint = LEGACY_ONLY;
  readonly #options: BlkOptions;
  readonly #disk: Disk;
  readonly #finished: HandlerId;
  readonly #requests: Request[] = [];
  readonly #configWriter: ConfigWriter;
  readonly #header: Uint8Array<ArrayBuffer> = new Uint8Array(abi.VIRTIO_BLK_OUTHDR_BYTES);
  readonly #view: DataView<ArrayBuffer> = new DataView(this.#header.buffer);
  readonly #chunk: Uint8Array<ArrayBuffer> = new Uint8Array(CHUNK);
  readonly #status: Uint8Array<ArrayBuffer> = new Uint8Array(1);
  /** Reads, or writes, that are to be handed on together, by request number. */
  readonly #batch: number[] = [];
  #batchWork: Work = READ;
  #writeCache: boolean;
  /** What of the configuration may differ from what `config` holds: the driver wrote it, or it has changed. */
  #configStale = true;
  readonly #geometry: DiskGeometry;

  constructor(parts: CoreParts, disk: Disk, options: BlkOptions = BLK_DEFAULTS) {
    super(parts, configLength(options, parts.behaviour?.erasesNothingSecurely ?? true));
    this.#options = options;
    this.#disk = disk;
    this.#writeCache = options.writeCache;
    this.#geometry = options.geometry ?? guessGeometry(disk);
    this.#configWriter = new ConfigWriter(this.config);
    for (let i = 0; i < options.numQueues; i++) this.addQueue(options.queueSize);
    this.#finished = parts.events.register((request) => this.#finish(request));
  }

  offer(features: bigint): bigint {
    const options = this.#options;
    let offered = features | featureSet(abi.VIRTIO_BLK_F_SEG_MAX, abi.VIRTIO_BLK_F_GEOMETRY);
    offered |= featureSet(abi.VIRTIO_BLK_F_TOPOLOGY, abi.VIRTIO_BLK_F_BLK_SIZE);
    if (options.configWce) offered |= featureSet(abi.VIRTIO_BLK_F_CONFIG_WCE);
    if (options.discard) offered |= featureSet(abi.VIRTIO_BLK_F_DISCARD);
    if (options.writeZeroes) offered |= featureSet(abi.VIRTIO_BLK_F_WRITE_ZEROES);
    if (options.scsi) offered |= featureSet(abi.VIRTIO_BLK_F_SCSI);
    if (!hasFeature(features, VIRTIO_F_VERSION_1)) {
      offered &= ~featureSet(VIRTIO_F_ANY_LAYOUT);
      offered |= featureSet(abi.VIRTIO_BLK_F_SCSI);
    }
    const { offersCacheSwitchAlone, erasesNothingSecurely } = this.behaviour;
    if (!erasesNothingSecurely) offered |= featureSet(abi.VIRTIO_BLK_F_SECURE_ERASE);
    const impliesFlush = options.enableWceIfConfigWce || !offersCacheSwitchAlone;
    if (this.#writeCache || (impliesFlush && options.configWce)) {
      offered |= featureSet(abi.VIRTIO_BLK_F_FLUSH);
    }
    if (this.#disk.readOnly) offered |= featureSet(abi.VIRTIO_BLK_F_RO);
    if (options.numQueues > 1) offered |= featureSet(abi.VIRTIO_BLK_F_MQ);
    return offered;
  }

  /** A disk's size has changed (virtio_blk_resize). */
  resized(disk: Disk): void {
    if (disk !== this.#disk) return;
    this.#configStale = true;
    this.notifyConfig();
  }

  override exchange(state: StateStream): void {
    super.exchange(state);
    this.#writeCache = state.bool(this.#writeCache);
    if (state.restoring) this.#configStale = true;
    const count = state.u16(this.#requests.length);
    if (state.restoring) this.#requests.length = 0;
    for (let i = 0; i < count; i++) this.#exchangeRequest(state, i);
  }

  // --- Hooks ----------------------------------------------------------------------------------------------------

  protected service(queue: Virtqueue): void {
    const suppress = queue.ring.notification;
    do {
      if (suppress) queue.setNotification(false);
      for (;;) {
        const chain = queue.pop();
        if (chain === undefined) break;
        if (this.#start(queue, chain)) continue;
        queue.detach(chain, 0);
        queue.recycle(chain);
        break;
      }
      if (suppress) queue.setNotification(true);
    } while (this.goesOn(queue));
    this.#submitBatch();
  }

  protected override refreshConfig(): void {
    const options = this.#options;
    const config = this.#configWriter;
    const blockSize = options.logicalBlockSize;
    if (!this.#configStale && config.littleEndian === this.littleEndian) return;
    this.#configStale = false;
    config.littleEndian = this.littleEndian;
    this.config.fill(0);
    config.put64(abi.BLK_CONFIG_CAPACITY, BigInt(this.#disk.sectors));
    config.put(abi.BLK_CONFIG_SEG_MAX, 4, options.segMaxAdjust ? options.queueSize - 2 : 126);
    this.#putGeometry(config);
    config.put(abi.BLK_CONFIG_BLK_SIZE, 4, blockSize);
    config.put(abi.BLK_CONFIG_PHYSICAL_BLOCK_EXP, 1, doublings(blockSize, options.physicalBlockSize));
    config.put(abi.BLK_CONFIG_MIN_IO_SIZE, 2, Math.floor(options.minIoSize / blockSize));
    config.put(abi.BLK_CONFIG_OPT_IO_SIZE, 4, Math.floor(options.optIoSize / blockSize));
    config.put(abi.BLK_CONFIG_WCE, 1, this.#writeCache ? 1 : 0);
    config.put(abi.BLK_CONFIG_NUM_QUEUES, 2, options.numQueues);
    if (options.discard) {
      const granularity = options.reportDiscardGranularity ? options.discardGranularity : undefined;
      config.put(abi.BLK_CONFIG_MAX_DISCARD_SECTORS, 4, options.maxDiscardSectors);
      config.put(abi.BLK_CONFIG_DISCARD_ALIGNMENT, 4, (granularity ?? blockSize) >>> 9);
      config.put(abi.BLK_CONFIG_MAX_DISCARD_SEG, 4, 1);
    }
    if (options.writeZeroes) {
      config.put(abi.BLK_CONFIG_MAX_WRITE_ZEROES_SECTORS, 4, options.maxWriteZeroesSectors);
      config.put(abi.BLK_CONFIG_WRITE_ZEROES_MAY_UNMAP, 1, 1);
      config.put(abi.BLK_CONFIG_MAX_WRITE_ZEROES_SEG, 4, 1);
    }
    if (!this.behaviour.erasesNothingSecurely) {
      config.put(abi.BLK_CONFIG_MAX_SECURE_ERASE_SECTORS, 4, REQUEST_SECTORS_MAX);
      config.put(abi.BLK_CONFIG_MAX_SECURE_ERASE_SEG, 4, 1);
      config.put(abi.BLK_CONFIG_SECURE_ERASE_ALIGNMENT, 4, blockSize >>> 9);
    }
  }

  protected override configWritten(): void {
    this.#setWriteCache(this.config[abi.BLK_CONFIG_WCE] !== 0);
  }

  protected override statusChanging(status: number): void {
    const switches = this.accepted(abi.VIRTIO_BLK_F_CONFIG_WCE);
    const flushes = this.accepted(abi.VIRTIO_BLK_F_FLUSH);
    const agrees = (status & ~this.status & VIRTIO_CONFIG_S_FEATURES_OK) !== 0;
    if (agrees && switches && !flushes && !this.behaviour.keepsCacheWithoutFlush) this.#setWriteCache(false);
    // A driver that cannot switch the cache gets the mode that it can flush.
    if ((status & VIRTIO_CONFIG_S_DRIVER_OK) !== 0 && !switches) this.#setWriteCache(flushes);
  }

  protected override resetting(): void {
    // The disk finishes what it has begun, and the driver still sees it.
    for (let i = 0; i < this.#requests.length; i++) {
      if (this.#requests[i]?.busy !== true) continue;
      this.parts.events.cancel(this.#finished, i);
      this.#finish(i);
    }
    this.#setWriteCache(this.#options.writeCache);
  }

  #setWriteCache(on: boolean): void {
    this.#writeCache = on;
    this.#configStale = true;
  }

  // --- Requests -------------------------------------------------------------------------------------------------

  /** virtio_blk_handle_request. False: the device is broken, and the chain is still the caller's. */
  #start(queue: Virtqueue, chain: Chain): boolean {
    if (chain.outCount < 1 || chain.inCount < 1) {
      this.fail('virtio-blk missing headers');
      return false;
    }
    const header = this.#header;
    if (copyOut(this.space, chain, 0, header, 0, header.length) < header.length) {
      this.fail('virtio-blk request outhdr too short');
      return false;
    }
    const type = this.#view.getUint32(0, this.littleEndian);
    if (!this.behaviour.masksRequestTypes && !this.#knows(type)) {
      this.#complete(queue, chain, abi.VIRTIO_BLK_S_UNSUPP, 0);
      return true;
    }
    const kind = (type & ~(abi.VIRTIO_BLK_T_OUT | abi.VIRTIO_BLK_T_BARRIER)) >>> 0;
    const out = (type & abi.VIRTIO_BLK_T_OUT) !== 0;
    switch (kind) {
      case abi.VIRTIO_BLK_T_IN:
        this.#startTransfer(queue, chain, out ? WRITE : READ);
        return true;
      case abi.VIRTIO_BLK_T_FLUSH:
        if (this.#batchWork === WRITE) this.#submitBatch();
        this.#submit(this.#admit(queue, chain, FLUSH, 0, 0));
        return true;
      case abi.VIRTIO_BLK_T_SCSI_CMD:
        this.#refuseScsi(queue, chain);
        return true;
      case abi.VIRTIO_BLK_T_GET_ID:
        this.#giveId(queue, chain);
        return true;
      case abi.VIRTIO_BLK_T_DISCARD & ~abi.VIRTIO_BLK_T_OUT:
      case abi.VIRTIO_BLK_T_WRITE_ZEROES & ~abi.VIRTIO_BLK_T_OUT:
        return this.#startSegment(queue, chain, out, kind === 12 ? WRITE_ZEROES : DISCARD);
      case abi.VIRTIO_BLK_T_SECURE_ERASE:
        if (this.accepted(abi.VIRTIO_BLK_F_SECURE_ERASE) && !out) {
          return this.#startSegment(queue, chain, true, ERASE);
        }
        this.#complete(queue, chain, abi.VIRTIO_BLK_S_UNSUPP, 0);
        return true;
      default:
        this.#complete(queue, chain, abi.VIRTIO_BLK_S_UNSUPP, 0);
        return true;
    }
  }

  /** Whether the whole type field says something: with a legacy driver's types, and its barrier bit, for that one only. */
  #knows(type: number): boolean {
    if (this.version1) return MODERN_TYPES.has(type);
    const plain = (type & ~abi.VIRTIO_BLK_T_BARRIER) >>> 0;
    return MODERN_TYPES.has(plain) || LEGACY_TYPES.has(plain);
  }

  #startTransfer(queue: Virtqueue, chain: Chain, work: Work): void {
    const sector = this.#sectorAt(8);
    const bytes = work === WRITE ? chain.outBytes() - abi.VIRTIO_BLK_OUTHDR_BYTES : chain.inBytes() - 1;
    if (!this.#isInRange(sector, bytes)) {
      this.#complete(queue, chain, abi.VIRTIO_BLK_S_IOERR, 0);
      return;
    }
    const full = this.#batch.length === BATCH || work !== this.#batchWork || !this.#options.requestMerging;
    if (this.#batch.length > 0 && full) this.#submitBatch();
    this.#batchWork = work;
    this.#batch.push(this.#admit(queue, chain, work, sector * SECTOR_BYTES, bytes));
  }

  #startSegment(queue: Virtqueue, chain: Chain, out: boolean, work: Work): boolean {
    const bytes = chain.outBytes() - abi.VIRTIO_BLK_OUTHDR_BYTES;
    if (!out || bytes > abi.VIRTIO_BLK_SEGMENT_BYTES) {
      this.#complete(queue, chain, abi.VIRTIO_BLK_S_UNSUPP, 0);
      return true;
    }
    const segment = this.#header;
    const copied = copyOut(this.space, chain, abi.VIRTIO_BLK_OUTHDR_BYTES, segment, 0, segment.length);
    if (copied < segment.length) {
      this.fail('virtio-blk discard/write_zeroes header too short');
      return false;
    }
    const sector = this.#sectorAt(0);
    const sectors = this.#view.getUint32(8, this.littleEndian);
    const flags = this.#view.getUint32(12, this.littleEndian);
    const status = this.#segmentStatus(sector, sectors, flags, work);
    if (status === abi.VIRTIO_BLK_S_OK) {
      this.#submit(this.#admit(queue, chain, work, sector * SECTOR_BYTES, sectors * SECTOR_BYTES));
    } else {
      this.#complete(queue, chain, status, 0);
    }
    return true;
  }

  #segmentStatus(sector: number, sectors: number, flags: number, work: Work): number {
    const { maxWriteZeroesSectors, maxDiscardSectors } = this.#options;
    const zeroes = work === WRITE_ZEROES;
    const limit = zeroes ? maxWriteZeroesSectors : work === DISCARD ? maxDiscardSectors : REQUEST_SECTORS_MAX;
    const known = zeroes ? abi.VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0;
    const flagged = (flags & ~known) === 0 ? abi.VIRTIO_BLK_S_OK : abi.VIRTIO_BLK_S_UNSUPP;
    if (!this.behaviour.checksRangeBeforeFlags && flagged !== abi.VIRTIO_BLK_S_OK) return flagged;
    if (sectors > limit) return abi.VIRTIO_BLK_S_IOERR;
    return this.#isInRange(sector, sectors * SECTOR_BYTES) ? flagged : abi.VIRTIO_BLK_S_IOERR;
  }

  /** Passing SCSI commands through needs a SCSI disk behind the device, which none here has. */
  #refuseScsi(queue: Virtqueue, chain: Chain): void {
    if (chain.outCount < 2 || chain.inCount < 3) {
      this.#complete(queue, chain, abi.VIRTIO_BLK_S_IOERR, 0);
      return;
    }
    // `errors` of the header before the last piece: anything but zero fails the guest's ioctl.
    const before =
      chain.inBytes() - (chain.length[chain.pieces - 1] ?? 0) - (chain.length[chain.pieces - 2] ?? 0);
    const room = Math.min(4, chain.length[chain.pieces - 2] ?? 0);
    this.#view.setUint32(0, 255, this.littleEndian);
    copyIn(this.space, chain, before, this.#header, 0, room);
    this.#complete(queue, chain, abi.VIRTIO_BLK_S_UNSUPP, 0);
  }

  #giveId(queue: Virtqueue, chain: Chain): void {
    const { serial } = this.#options;
    const size = Math.min(serial.length + 1, chain.inBytes() - 1, abi.VIRTIO_BLK_ID_BYTES);
    const bytes = this.#chunk;
    for (let i = 0; i < size; i++) bytes[i] = i < serial.length ? serial.charCodeAt(i) : 0;
    copyIn(this.space, chain, 0, bytes, 0, size);
    this.#complete(queue, chain, abi.VIRTIO_BLK_S_OK, size);
  }

  /** The 64-bit sector at `at` of the header; what a double cannot hold is beyond every disk. */
  #sectorAt(at: number): number {
    const high = this.#view.getUint32(this.littleEndian ? at + 4 : at, this.littleEndian);
    const low = this.#view.getUint32(this.littleEndian ? at : at + 4, this.littleEndian);
    return high * 2 ** 32 + low;
  }

  /** virtio_blk_sect_range_ok. */
  #isInRange(sector: number, bytes: number): boolean {
    const sectors = Math.floor(bytes / SECTOR_BYTES);
    const blockSize = this.#options.logicalBlockSize;
    if (sectors > REQUEST_SECTORS_MAX) return false;
    if (sector % (blockSize / SECTOR_BYTES) !== 0 || bytes % blockSize !== 0) return false;
    return sector <= this.#disk.sectors && sectors <= this.#disk.sectors - sector;
  }

  #admit(queue: Virtqueue, chain: Chain, work: Work, offset: number, bytes: number): number {
    let number = 0;
    while (this.#requests[number]?.busy === true) number++;
    const request = this.#requests[number] ?? new Request();
    this.#requests[number] = request;
    request.chain = chain;
    request.queue = queue.ring.index;
    request.work = work;
    request.offset = offset;
    request.bytes = bytes;
    request.busy = true;
    return number;
  }

  /** Hands reads or writes on in the order of their sectors, as QEMU does to merge neighbours. */
  #submitBatch(): void {
    const batch = this.#batch;
    for (let i = 1; i < batch.length; i++) {
      const number = batch[i] ?? 0;
      const offset = this.#requests[number]?.offset ?? 0;
      let at = i;
      while (at > 0 && (this.#requests[batch[at - 1] ?? 0]?.offset ?? 0) > offset) {
        batch[at] = batch[at - 1] ?? 0;
        at--;
      }
      batch[at] = number;
    }
    for (const number of batch) this.#submit(number);
    batch.length = 0;
  }

  #submit(number: number): void {
    this.parts.events.schedule(LATENCY, this.#finished, number);
  }

  #finish(number: number): void {
    const request = this.#requests[number];
    const chain = request?.chain;
    const queue = request === undefined ? undefined : this.queue(request.queue);
    if (request === undefined || chain === undefined || queue === undefined) return;
    request.busy = false;
    request.chain = undefined;
    // A discard is let go before anybody looks whether the disk may be written (bdrv_co_pdiscard).
    const writes = request.work === WRITE || request.work === WRITE_ZEROES || request.work === ERASE;
    if (writes && this.#disk.readOnly) {
      this.#complete(queue, chain, abi.VIRTIO_BLK_S_IOERR, 0);
      return;
    }
    if (request.work === READ) this.#readSectors(chain, request.offset, request.bytes);
    else if (request.work === WRITE) this.#writeSectors(chain, request.offset, request.bytes);
    else if (request.work === WRITE_ZEROES || request.work === ERASE) {
      this.#disk.fill(request.offset, 0, request.bytes);
    }
    // Discarding changes nothing: the drive is used with discard=ignore, which is QEMU's default.
    this.#complete(queue, chain, abi.VIRTIO_BLK_S_OK, request.work === READ ? request.bytes : 0);
  }

  #readSectors(chain: Chain, offset: number, bytes: number): void {
    const chunk = this.#chunk;
    for (let done = 0; done < bytes; done += CHUNK) {
      const step = Math.min(CHUNK, bytes - done);
      this.#disk.read(offset + done, chunk, 0, step);
      copyIn(this.space, chain, done, chunk, 0, step);
    }
  }

  #writeSectors(chain: Chain, offset: number, bytes: number): void {
    const chunk = this.#chunk;
    for (let done = 0; done < bytes; done += CHUNK) {
      const step = Math.min(CHUNK, bytes - done);
      copyOut(this.space, chain, abi.VIRTIO_BLK_OUTHDR_BYTES + done, chunk, 0, step);
      this.#disk.write(offset + done, chunk, 0, step);
    }
  }

  #clear(chain: Chain, from: number, end: number): void {
    this.#chunk.fill(0);
    for (let at = from; at < end; at += CHUNK) {
      copyIn(this.space, chain, at, this.#chunk, 0, Math.min(CHUNK, end - at));
    }
  }

  /**
   * virtio_blk_req_complete: the status is the last writable byte, and all writable bytes count as written, though only
   * the first `written` of them were.
   */
  #complete(queue: Virtqueue, chain: Chain, status: number, written: number): void {
    const bytes = chain.inBytes();
    if (!this.behaviour.countsUnwrittenBytes) this.#clear(chain, written, bytes - 1);
    this.#status[0] = status;
    copyIn(this.space, chain, bytes - 1, this.#status, 0, 1);
    queue.push(chain, bytes);
    queue.recycle(chain);
    this.notifyUsed(queue);
  }

  #putGeometry(config: ConfigWriter): void {
    const { cylinders, heads, sectors } = this.#geometry;
    const blockSize = this.#options.logicalBlockSize;
    const length = this.#disk.sectors * SECTOR_BYTES;
    const uneven = length > 0 && Math.floor(Math.floor(length / heads) / sectors) % blockSize !== 0;
    config.put(abi.BLK_CONFIG_CYLINDERS, 2, cylinders);
    config.put(abi.BLK_CONFIG_HEADS, 1, heads);
    config.put(abi.BLK_CONFIG_SECTORS, 1, uneven ? sectors & ~(blockSize / SECTOR_BYTES - 1) : sectors);
  }

  #exchangeRequest(state: StateStream, number: number): void {
    const request = this.#requests[number] ?? new Request();
    this.#requests[number] = request;
    request.busy = state.bool(request.busy);
    if (!request.busy) return;
    request.queue = state.u16(request.queue);
    request.work = state.u8(request.work) as Work;
    request.offset = state.integer(request.offset);
    request.bytes = state.integer(request.bytes);
    if (state.restoring) request.chain = this.queue(request.queue)?.take();
    request.chain?.exchange(state);
  }
}

function configLength(options: BlkOptions, likeQemu: boolean): number {
  if (!likeQemu) return abi.BLK_CONFIG_BYTES_SECURE_ERASE;
  if (options.writeZeroes) return abi.BLK_CONFIG_BYTES_WRITE_ZEROES;
  return options.discard ? abi.BLK_CONFIG_BYTES_DISCARD : abi.BLK_CONFIG_BYTES;
}
