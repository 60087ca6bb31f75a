import type { HandlerId } from '../core/event-queue.ts';
import type { StateStream } from '../core/state.ts';
import { microseconds, type Duration } from '../core/time.ts';
import { VIRTIO_CONFIG_S_DRIVER_OK, VIRTIO_F_ANY_LAYOUT, VIRTIO_ID_SCSI } from '../virtio/abi.ts';
import type { Chain } from '../virtio/chain.ts';
import { copyIn, copyOut } from '../virtio/chain-io.ts';
import { VirtioCore, type CoreParts } from '../virtio/core.ts';
import { featureBit } from '../virtio/features.ts';
import type { Virtqueue } from '../virtio/queue.ts';
import { SECTOR_BYTES, type Disk } from './backends/disk.ts';
import { ConfigWriter, LEGACY_ONLY } from './device.ts';
import * as abi from './scsi-abi.ts';
import { blockAddress, FROM_DEVICE, NO_DATA, TO_DEVICE, type Direction } from './scsi-cdb.ts';
import {
  DONE,
  MEDIUM,
  MOVES,
  REFUSED,
  ScsiCommand,
  ScsiDisk,
  type ScsiBus,
  type ScsiDiskOptions,
  type Server,
} from './scsi-disk.ts';
import * as sense from './scsi-sense.ts';
import type { Sense } from './scsi-sense.ts';

export interface ScsiOptions {
  readonly numQueues: number;
  readonly queueSize: number;
  readonly segMaxAdjust: boolean;
  readonly maxSectors: number;
  readonly cmdPerLun: number;
  readonly hotplug: boolean;
  readonly paramChange: boolean;
}

/** A disk to put on the bus. */
export interface ScsiAttachment {
  readonly options: ScsiDiskOptions;
  readonly disk: Disk;
}

/** How long the disks take: long enough that a driver can do something meanwhile. */
const LATENCY: Duration = microseconds(10);
const CHUNK = 4096;
const TAG_BYTES = 8;
const REQUEST_BYTES_MAX: number = abi.SCSI_CMD_REQUEST_BYTES + 255;
const SENSE_BYTES = 18;
const NOBODY = -1;

/** A command on its way: QEMU's VirtIOSCSIReq and its SCSIRequest. */
class Request {
  readonly command: ScsiCommand = new ScsiCommand();
  readonly tag: Uint8Array<ArrayBuffer> = new Uint8Array(TAG_BYTES);
  chain: Chain | undefined = undefined;
  queue = 0;
  unit = 0;
  busy = false;
  /** In its unit's list: what task management finds. */
  listed = false;
  cancelled = false;
  /** Bytes of the header and its sense area that the driver left room for. */
  responseBytes = 0;
  /** Where data begins in its half of the chain, and how many bytes there are. */
  skip = 0;
  payload = 0;
  /** Bytes of `payload` that move; what cannot be mapped a second time never does, and the request hangs. */
  reach = 0;
  hangs = false;
  /** What it ends with once it has been waited for. */
  ending: Sense = sense.NO_SENSE;
  residual = 0;
  /** The task management request that waits for it, or NOBODY. */
  waiter = NOBODY;
  /** Bytes of data that the driver got. */
  moved = 0;
  /** Counts up: where it stands in its unit's list. */
  place = 0;
}

/** A task management request that waits until what it aborted is gone. */
class Waiter {
  chain: Chain | undefined = undefined;
  left = 0;
  payload = 0;
}

/**
 * A SCSI host (VIRTIO 1.3, 5.6; QEMU hw/scsi/virtio-scsi.c) and the disks on its bus. Commands are taken and checked first,
 * all that a ring offers, and begun afterwards in their order.
 */
export class ScsiDevice extends VirtioCore implements ScsiBus {
  readonly virtioId: number = VIRTIO_ID_SCSI;
  readonly name: string = 'virtio-scsi';
  readonly legacyFeatures: bigint = LEGACY_ONLY;
  unitAttention: Sense = sense.NO_SENSE;
  readonly #options: ScsiOptions;
  readonly #units: readonly ScsiDisk[];
  /** The units in the bus's own order: the one plugged last comes first. */
  #order: number[];
  readonly #requests: Request[] = [];
  readonly #waiters: Waiter[] = [];
  readonly #prepared: number[] = [];
  #places = 0;
  readonly #finished: HandlerId;
  readonly #writer: ConfigWriter;
  readonly #view: DataView<ArrayBuffer>;
  readonly #header: Uint8Array<ArrayBuffer> = new Uint8Array(REQUEST_BYTES_MAX);
  readonly #headerView: DataView<ArrayBuffer> = new DataView(this.#header.buffer);
  readonly #response: Uint8Array<ArrayBuffer> = new Uint8Array(abi.SCSI_EVENT_BYTES);
  readonly #responseView: DataView<ArrayBuffer> = new DataView(this.#response.buffer);
  readonly #senseBytes: Uint8Array<ArrayBuffer> = new Uint8Array(SENSE_BYTES);
  readonly #chunk: Uint8Array<ArrayBuffer> = new Uint8Array(CHUNK);
  // What `#parse` found.
  #skip = 0;
  #payload = 0;
  #mode: Direction = NO_DATA;
  #bothWays = false;
  #senseSize: number = abi.VIRTIO_SCSI_SENSE_DEFAULT_SIZE;
  #cdbSize: number = abi.VIRTIO_SCSI_CDB_DEFAULT_SIZE;
  #eventsDropped = false;
  /** Requests that go now are told that it is a reset that ends them. */
  #resetting = false;

  constructor(parts: CoreParts, options: ScsiOptions, disks: readonly ScsiAttachment[] = []) {
    super(parts, abi.SCSI_CONFIG_BYTES);
    this.#options = options;
    this.#writer = new ConfigWriter(this.config);
    this.#view = new DataView(this.config.buffer);
    this.#units = disks.map(({ options: unit, disk }) => new ScsiDisk(unit, disk, this));
    this.#order = disks.map((_, index) => index).toReversed();
    this.#finished = parts.events.register((request) => this.#finish(request));
    const queues = options.numQueues + abi.VIRTIO_SCSI_VQ_NUM_FIXED;
    for (let i = 0; i < queues; i++) this.addQueue(options.queueSize);
  }

  offer(features: bigint): bigint {
    const hotplug = this.#options.hotplug ? featureBit(abi.VIRTIO_SCSI_F_HOTPLUG) : 0n;
    return features | hotplug | (this.#options.paramChange ? featureBit(abi.VIRTIO_SCSI_F_CHANGE) : 0n);
  }

  lunsOf(target: number): readonly number[] {
    return this.#order
      .map((index) => this.#units[index]?.options)
      .filter((unit) => unit !== undefined && unit.target === target && unit.lun !== 0)
      .map((unit) => unit?.lun ?? 0);
  }

  override exchange(state: StateStream): void {
    super.exchange(state);
    this.#senseSize = state.u32(this.#senseSize);
    this.#cdbSize = state.u32(this.#cdbSize);
    this.#eventsDropped = state.bool(this.#eventsDropped);
    this.#places = state.integer(this.#places);
    this.unitAttention = state.u32(this.unitAttention);
    const plugged = state.u16(this.#order.length);
    const order = this.#order.slice(0, plugged);
    for (let i = 0; i < plugged; i++) order[i] = state.u16(order[i] ?? 0);
    this.#order = order;
    for (const unit of this.#units) unit.exchange(state);
    const requests = state.u16(this.#requests.length);
    if (state.restoring) this.#requests.length = 0;
    for (let i = 0; i < requests; i++) this.#exchangeRequest(state, i);
    const waiters = state.u16(this.#waiters.length);
    if (state.restoring) this.#waiters.length = 0;
    for (let i = 0; i < waiters; i++) this.#exchangeWaiter(state, i);
  }

  // --- What the host does ---------------------------------------------------------------------------------------

  /** `device_add` of a disk that was taken away; false if there is no such disk, or it is there. */
  attach(id: string): boolean {
    const index = this.#units.findIndex((unit) => unit.options.id === id && !unit.plugged);
    const unit = this.#units[index];
    if (unit === undefined) return false;
    unit.plugged = true;
    this.#order.unshift(index);
    unit.reset();
    this.#transportReset(unit, abi.VIRTIO_SCSI_EVT_RESET_RESCAN);
    return true;
  }

  /** `device_del`. */
  remove(id: string): boolean {
    const index = this.#units.findIndex((unit) => unit.options.id === id && unit.plugged);
    const unit = this.#units[index];
    if (unit === undefined) return false;
    this.#transportReset(unit, abi.VIRTIO_SCSI_EVT_RESET_REMOVED);
    this.#purge(index);
    unit.plugged = false;
    this.#order = this.#order.filter((other) => other !== index);
    return true;
  }

  /** A disk's size has changed (scsi_disk_resize_cb). */
  resized(disk: Disk): void {
    for (const unit of this.#units) {
      if (unit.disk !== disk || !unit.plugged) continue;
      unit.raise(sense.CAPACITY_CHANGED);
      if (!this.accepted(abi.VIRTIO_SCSI_F_CHANGE)) continue;
      this.#pushEvent(unit, abi.VIRTIO_SCSI_T_PARAM_CHANGE, sense.reasonOf(sense.CAPACITY_CHANGED));
    }
  }

  #transportReset(unit: ScsiDisk, reason: number): void {
    if (!this.accepted(abi.VIRTIO_SCSI_F_HOTPLUG)) return;
    this.#pushEvent(unit, abi.VIRTIO_SCSI_T_TRANSPORT_RESET, reason);
    this.unitAttention = sense.moreImportant(this.unitAttention, sense.REPORTED_LUNS_CHANGED);
  }

  // --- Hooks ----------------------------------------------------------------------------------------------------

  protected override refreshConfig(): void {
    const { numQueues, queueSize, segMaxAdjust, maxSectors, cmdPerLun } = this.#options;
    const writer = this.#writer;
    writer.littleEndian = this.littleEndian;
    writer.put(abi.SCSI_CONFIG_NUM_QUEUES, 4, numQueues);
    writer.put(abi.SCSI_CONFIG_SEG_MAX, 4, (segMaxAdjust ? queueSize : 128) - 2);
    writer.put(abi.SCSI_CONFIG_MAX_SECTORS, 4, maxSectors);
    writer.put(abi.SCSI_CONFIG_CMD_PER_LUN, 4, cmdPerLun);
    writer.put(abi.SCSI_CONFIG_EVENT_INFO_SIZE, 4, abi.SCSI_EVENT_BYTES);
    writer.put(abi.SCSI_CONFIG_SENSE_SIZE, 4, this.#senseSize);
    writer.put(abi.SCSI_CONFIG_CDB_SIZE, 4, this.#cdbSize);
    writer.put(abi.SCSI_CONFIG_MAX_CHANNEL, 2, 0);
    writer.put(abi.SCSI_CONFIG_MAX_TARGET, 2, abi.VIRTIO_SCSI_MAX_TARGET);
    writer.put(abi.SCSI_CONFIG_MAX_LUN, 4, abi.VIRTIO_SCSI_MAX_LUN);
  }

  protected override configWritten(): void {
    const senseSize = this.#view.getUint32(abi.SCSI_CONFIG_SENSE_SIZE, this.littleEndian);
    const cdbSize = this.#view.getUint32(abi.SCSI_CONFIG_CDB_SIZE, this.littleEndian);
    if (senseSize >= 65536 || cdbSize >= 256) {
      this.fail('bad data written to virtio-scsi configuration space');
      return;
    }
    this.#senseSize = senseSize;
    this.#cdbSize = cdbSize;
  }

  protected override resetting(): void {
    this.#resetting = true;
    for (const index of this.#order) this.#resetUnit(index);
    this.#resetting = false;
    this.#senseSize = abi.VIRTIO_SCSI_SENSE_DEFAULT_SIZE;
    this.#cdbSize = abi.VIRTIO_SCSI_CDB_DEFAULT_SIZE;
    this.#eventsDropped = false;
  }

  protected service(queue: Virtqueue): void {
    if (queue.ring.index === abi.VIRTIO_SCSI_CONTROL_QUEUE) {
      for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) this.#control(queue, chain);
    } else if (queue.ring.index === abi.VIRTIO_SCSI_EVENT_QUEUE) {
      if (this.#eventsDropped) this.#pushEvent(undefined, abi.VIRTIO_SCSI_T_NO_EVENT, 0);
    } else this.#serveCommands(queue);
  }

  // --- Headers --------------------------------------------------------------------------------------------------

  /**
   * virtio_scsi_parse_req: the request into `#header`, room for the response, and what of the chain is data. False for a
   * chain that is too short. Without ANY_LAYOUT data begins at the second piece, however long the first is.
   */
  #parse(chain: Chain, requestBytes: number, responseBytes: number): boolean {
    this.#bothWays = false;
    if (copyOut(this.space, chain, 0, this.#header, 0, requestBytes) < requestBytes) return false;
    const [outBytes, inBytes] = [chain.outBytes(), chain.inBytes()];
    if (inBytes < responseBytes) return false;
    const cutAnywhere = this.version1 && !this.behaviour.takesFirstPieceForHeader;
    const anyLayout = cutAnywhere || this.accepted(VIRTIO_F_ANY_LAYOUT);
    const outSkip = anyLayout || chain.outCount === 0 ? requestBytes : (chain.length[0] ?? 0);
    const inSkip = anyLayout || chain.inCount === 0 ? responseBytes : (chain.length[chain.outCount] ?? 0);
    const [sent, asked] = [outBytes - outSkip, inBytes - inSkip];
    this.#payload = sent + asked;
    this.#bothWays = sent > 0 && asked > 0;
    this.#mode = sent > 0 ? TO_DEVICE : asked > 0 ? FROM_DEVICE : NO_DATA;
    this.#skip = sent > 0 ? outSkip : inSkip;
    return true;
  }

  /** virtio_scsi_bad_req. */
  #refuse(queue: Virtqueue, chain: Chain): void {
    this.fail('wrong size for virtio-scsi headers');
    queue.detach(chain, 0);
    queue.recycle(chain);
  }

  #complete(queue: Virtqueue, chain: Chain, written: number): void {
    queue.push(chain, written >>> 0);
    queue.recycle(chain);
    this.notifyUsed(queue);
  }

  /** What data areas add to the length that is told. */
  #counted(payload: number): number {
    return this.behaviour.countsUnwrittenBytes ? payload : 0;
  }

  /** virtio_scsi_device_get: the unit, or another unit of its target, or nobody. */
  #unitAt(lun: number): number {
    const header = this.#header;
    const kind = header[lun + 2] ?? 0;
    if (header[lun] !== 1 || (kind !== 0 && (kind < 0x40 || kind >= 0x80))) return NOBODY;
    const target = header[lun + 1] ?? 0;
    const wanted = this.#lunAt(lun);
    let found = NOBODY;
    for (const index of this.#order) {
      const unit = this.#units[index]?.options;
      if (unit?.target !== target) continue;
      if (unit.lun === wanted) return index;
      if (found === NOBODY) found = index;
    }
    return found;
  }

  #lunAt(lun: number): number {
    return (((this.#header[lun + 2] ?? 0) << 8) | (this.#header[lun + 3] ?? 0)) & 0x3fff;
  }

  // --- Commands -------------------------------------------------------------------------------------------------

  #serveCommands(queue: Virtqueue): void {
    const suppresses = queue.ring.notification;
    let refused = false;
    do {
      if (suppresses) queue.setNotification(false);
      for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) {
        if (!this.#prepare(queue, chain)) refused = true;
      }
      if (suppresses) queue.setNotification(true);
    } while (!refused && this.goesOn(queue));
    const prepared = this.#prepared.splice(0);
    for (const number of prepared) this.#begin(number);
  }

  /** virtio_scsi_handle_cmd_req_prepare. False after a header that broke the device. */
  #prepare(queue: Virtqueue, chain: Chain): boolean {
    const responseBytes = abi.SCSI_CMD_RESPONSE_BYTES + this.#senseSize;
    if (!this.#parse(chain, abi.SCSI_CMD_REQUEST_BYTES + this.#cdbSize, responseBytes)) {
      this.#refuse(queue, chain);
      this.#abandonPrepared();
      return false;
    }
    const room = { payload: this.#payload, responseBytes, moved: 0 };
    if (this.#bothWays) {
      this.#respond(queue, chain, abi.VIRTIO_SCSI_S_FAILURE, room);
      return true;
    }
    const unit = this.#unitAt(0);
    const disk = this.#units[unit];
    if (disk === undefined) {
      this.#respond(queue, chain, abi.VIRTIO_SCSI_S_BAD_TARGET, room);
      return true;
    }
    const number = this.#take(queue, chain, unit, responseBytes);
    const request = this.#requests[number] as Request;
    const { command } = request;
    disk.admit(command, this.#cdbSize);
    const wrongWay = command.direction !== NO_DATA && command.direction !== this.#mode;
    if (wrongWay || (command.direction !== NO_DATA && command.bytes > this.#payload)) {
      request.busy = false;
      request.chain = undefined;
      this.#respond(queue, chain, abi.VIRTIO_SCSI_S_OVERRUN, room);
      return true;
    }
    this.#prepared.push(number);
    return true;
  }

  #take(queue: Virtqueue, chain: Chain, unit: number, responseBytes: number): number {
    let number = 0;
    while (this.#requests[number]?.busy === true) number++;
    const request = this.#requests[number] ?? new Request();
    this.#requests[number] = request;
    const { command } = request;
    const cdbBytes = Math.min(this.#cdbSize, abi.CDB_BYTES_MAX);
    command.cdb.fill(0);
    command.cdb.set(this.#header.subarray(abi.SCSI_CMD_CDB, abi.SCSI_CMD_CDB + cdbBytes));
    command.lun = this.#lunAt(0);
    request.tag.set(this.#header.subarray(abi.SCSI_CMD_TAG, abi.SCSI_CMD_TAG + TAG_BYTES));
    request.chain = chain;
    request.queue = queue.ring.index;
    request.unit = unit;
    request.busy = true;
    request.listed = false;
    request.cancelled = false;
    request.hangs = false;
    request.responseBytes = responseBytes;
    request.skip = this.#skip;
    request.payload = this.#payload;
    request.ending = sense.NO_SENSE;
    request.moved = 0;
    request.waiter = NOBODY;
    return number;
  }

  /** A header of the wrong size breaks the device, and what was taken before it is never begun. */
  #abandonPrepared(): void {
    for (const number of this.#prepared.splice(0)) {
      const request = this.#requests[number];
      const queue = this.queue(request?.queue ?? 0);
      if (request?.chain === undefined || queue === undefined) continue;
      queue.detach(request.chain, 0);
      queue.recycle(request.chain);
      request.chain = undefined;
      request.busy = false;
    }
  }

  #begin(number: number): void {
    const request = this.#requests[number];
    const unit = this.#units[request?.unit ?? NOBODY];
    if (request === undefined || unit === undefined) return;
    const { command } = request;
    request.listed = true;
    request.place = this.#places++;
    request.residual = this.behaviour.movesAllThatIsDescribed ? command.bytes : request.payload;
    let outcome = unit.begin(command);
    if (outcome === MOVES) {
      this.#moveBuffer(request, unit);
      outcome = command.direction === TO_DEVICE ? unit.accept(command) : DONE;
    }
    if (outcome === REFUSED) this.#end(request, unit, unit.sense);
    else if (outcome === DONE) this.#end(request, unit, sense.NO_SENSE);
    else if (command.server === MEDIUM) this.#beginTransfer(request, number);
    else {
      request.ending = unit.sense;
      this.parts.events.schedule(LATENCY, this.#finished, number);
    }
  }

  /** dma_buf_rw: between a unit's buffer and the driver's, which are translated once more. */
  #moveBuffer(request: Request, unit: ScsiDisk): void {
    const { chain, command, payload } = request;
    if (chain === undefined) return;
    const outward = command.direction === TO_DEVICE;
    const first = outward ? 0 : chain.outCount;
    const end = outward ? chain.outCount : chain.pieces;
    const length = Math.min(unit.length, payload);
    let skip = request.skip;
    let done = 0;
    for (let i = first; i < end && done < length; i++) {
      const size = chain.length[i] ?? 0;
      if (skip >= size) {
        skip -= size;
        continue;
      }
      const step = Math.min(size - skip, length - done);
      const low = (chain.low[i] ?? 0) + skip;
      const high = ((chain.high[i] ?? 0) + (low >= 2 ** 32 ? 1 : 0)) >>> 0;
      if (outward) this.space.readAt(high, low >>> 0, unit.buffer, done, step);
      else this.space.writeAt(high, low >>> 0, unit.buffer, done, step);
      done += step;
      skip = 0;
    }
    request.residual = payload - length;
    if (!outward) request.moved = length;
  }

  /**
   * dma_blk_io: moves all that the driver described, however little the command asked for, in whole sectors. A piece that
   * lies in the bounce buffer cannot be mapped a second time: QEMU waits for the buffer that this request itself holds.
   */
  #beginTransfer(request: Request, number: number): void {
    const { chain, command } = request;
    if (chain === undefined) return;
    const all = this.behaviour.movesAllThatIsDescribed;
    const payload = all ? request.payload : Math.min(request.payload, command.bytes);
    const outward = command.direction === TO_DEVICE;
    const [first, end] = outward ? [0, chain.outCount] : [chain.outCount, chain.pieces];
    let reach = payload;
    if (chain.bounced >= first && chain.bounced < end) {
      let before = 0;
      for (let i = first; i < chain.bounced; i++) before += chain.length[i] ?? 0;
      const inBounce = before + (chain.length[chain.bounced] ?? 0) > request.skip;
      if (inBounce) reach = Math.max(before - request.skip, 0);
    }
    request.hangs = reach < payload;
    request.reach = reach - (reach % SECTOR_BYTES);
    request.residual = all ? (command.bytes - payload) >>> 0 : request.payload - payload;
    if (!request.hangs || reach > 0) this.parts.events.schedule(LATENCY, this.#finished, number);
  }

  /** The disk is done with a request. */
  #finish(number: number): void {
    const request = this.#requests[number];
    const unit = this.#units[request?.unit ?? NOBODY];
    if (request === undefined || unit === undefined || request.chain === undefined) return;
    if (request.command.server === MEDIUM) request.ending = this.#transfer(request, unit, request.chain);
    if (request.cancelled) this.#endCancelled(request);
    else if (!request.hangs) this.#end(request, unit, request.ending);
  }

  #transfer(request: Request, unit: ScsiDisk, chain: Chain): Sense {
    const { disk } = unit;
    const offset = unit.sectorOf(blockAddress(request.command.cdb)) * SECTOR_BYTES;
    const { reach, skip } = request;
    if (offset + reach > disk.sectors * SECTOR_BYTES) return sense.IO_ERROR;
    const chunk = this.#chunk;
    for (let done = 0; done < reach; done += CHUNK) {
      const step = Math.min(CHUNK, reach - done);
      if (request.command.direction === TO_DEVICE) {
        copyOut(this.space, chain, skip + done, chunk, 0, step);
        disk.write(offset + done, chunk, 0, step);
      } else {
        disk.read(offset + done, chunk, 0, step);
        copyIn(this.space, chain, skip + done, chunk, 0, step);
      }
    }
    if (request.command.direction !== TO_DEVICE) request.moved = reach;
    return sense.NO_SENSE;
  }

  /** scsi_req_complete and virtio_scsi_command_complete. */
  #end(request: Request, unit: ScsiDisk, ending: Sense): void {
    unit.ended(request.command, ending);
    request.listed = false;
    const refused = ending !== sense.NO_SENSE;
    let senseBytes = 0;
    if (refused) {
      const room = request.responseBytes - abi.SCSI_CMD_RESPONSE_BYTES;
      senseBytes = sense.putSense(this.#senseBytes, ending, room, true);
      unit.senseTold();
      if (request.chain !== undefined) {
        copyIn(this.space, request.chain, abi.SCSI_CMD_RESPONSE_BYTES, this.#senseBytes, 0, senseBytes);
      }
    }
    this.#release(request, abi.VIRTIO_SCSI_S_OK, {
      status: refused ? abi.CHECK_CONDITION : abi.GOOD,
      residual: refused ? 0 : request.residual,
      senseBytes,
    });
  }

  #endCancelled(request: Request): void {
    const code = this.#resetting ? abi.VIRTIO_SCSI_S_RESET : abi.VIRTIO_SCSI_S_ABORTED;
    const { waiter } = request;
    this.#release(request, code, NOTHING);
    if (waiter !== NOBODY) this.#oneLess(waiter);
  }

  #release(request: Request, code: number, ending: Ending): void {
    const { chain } = request;
    const queue = this.queue(request.queue);
    request.busy = false;
    request.chain = undefined;
    if (chain === undefined || queue === undefined) return;
    this.#respond(queue, chain, code, request, ending);
  }

  /** virtio_scsi_complete_cmd_req: twelve bytes are written, all of the response and the data count. */
  #respond(
    queue: Virtqueue,
    chain: Chain,
    code: number,
    { payload, responseBytes, moved }: Room,
    ending: Ending = NOTHING,
  ): void {
    const response = this.#response;
    response.fill(0);
    this.#responseView.setUint32(0, ending.senseBytes, this.littleEndian);
    this.#responseView.setUint32(abi.SCSI_CMD_RESPONSE_RESID, ending.residual, this.littleEndian);
    response[abi.SCSI_CMD_RESPONSE_STATUS] = ending.status;
    response[abi.SCSI_CMD_RESPONSE_CODE] = code;
    copyIn(this.space, chain, 0, response, 0, abi.SCSI_CMD_RESPONSE_BYTES);
    if (this.behaviour.countsUnwrittenBytes) {
      this.#complete(queue, chain, payload + responseBytes);
      return;
    }
    this.#chunk.fill(0);
    for (let at = abi.SCSI_CMD_RESPONSE_BYTES + ending.senseBytes; at < responseBytes; at += CHUNK) {
      copyIn(this.space, chain, at, this.#chunk, 0, Math.min(CHUNK, responseBytes - at));
    }
    this.#complete(queue, chain, responseBytes + moved);
  }

  // --- Aborting and resetting -----------------------------------------------------------------------------------

  /** scsi_req_cancel_async: what the disk has begun runs to its end, what hangs ends now. */
  #cancel(number: number, waiter: number): void {
    const request = this.#requests[number] as Request;
    request.listed = false;
    request.cancelled = true;
    request.waiter = waiter;
    if (!this.parts.events.isScheduled(this.#finished, number)) this.#endCancelled(request);
  }

  /** scsi_device_purge_requests: nothing of the unit is left in flight. */
  #purge(unit: number): void {
    for (const number of this.#listed(unit)) this.#cancel(number, NOBODY);
    for (const number of this.#begun(unit)) {
      this.parts.events.cancel(this.#finished, number);
      this.#finish(number);
    }
  }

  #resetUnit(index: number): void {
    this.#purge(index);
    this.#units[index]?.reset();
  }

  /** Requests of a unit in the order in which they were begun. */
  #begun(unit: number): number[] {
    const numbers: number[] = [];
    for (const [number, request] of this.#requests.entries()) {
      if (request.busy && request.unit === unit) numbers.push(number);
    }
    const place = (number: number): number => this.#requests[number]?.place ?? 0;
    return numbers.toSorted((a, b) => place(a) - place(b));
  }

  /** Those of them that task management finds. */
  #listed(unit: number): number[] {
    return this.#begun(unit).filter((number) => this.#requests[number]?.listed === true);
  }

  // --- Control queue --------------------------------------------------------------------------------------------

  #control(queue: Virtqueue, chain: Chain): void {
    if (copyOut(this.space, chain, 0, this.#header, 0, 4) < 4) {
      this.#refuse(queue, chain);
      return;
    }
    const type = this.#headerView.getUint32(0, this.littleEndian);
    if (type === abi.VIRTIO_SCSI_T_TMF) {
      if (!this.#parse(chain, abi.SCSI_TMF_REQUEST_BYTES, 1) || this.#bothWays) this.#refuse(queue, chain);
      else this.#manageTasks(queue, chain);
    } else if (type === abi.VIRTIO_SCSI_T_AN_QUERY || type === abi.VIRTIO_SCSI_T_AN_SUBSCRIBE) {
      const response = abi.SCSI_AN_RESPONSE_BYTES;
      if (!this.#parse(chain, abi.SCSI_AN_REQUEST_BYTES, response) || this.#bothWays) {
        this.#refuse(queue, chain);
        return;
      }
      // No event can be subscribed to.
      this.#response.fill(0);
      copyIn(this.space, chain, 0, this.#response, 0, response);
      this.#complete(queue, chain, this.#counted(this.#payload) + response);
    } else this.#complete(queue, chain, 0);
  }

  /** virtio_scsi_do_tmf. */
  #manageTasks(queue: Virtqueue, chain: Chain): void {
    const payload = this.#payload;
    const subtype = this.#headerView.getUint32(abi.SCSI_TMF_SUBTYPE, this.littleEndian);
    const answer = (code: number): void => {
      this.#answerTask(queue, chain, payload, code);
    };
    if (subtype === abi.VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET) {
      this.#resetTarget(this.#header[abi.SCSI_TMF_LUN + 1] ?? 0);
      answer(abi.VIRTIO_SCSI_S_OK);
      return;
    }
    if (!UNIT_TASKS.has(subtype)) {
      answer(abi.VIRTIO_SCSI_S_FUNCTION_REJECTED);
      return;
    }
    const unit = this.#unitAt(abi.SCSI_TMF_LUN);
    if (unit === NOBODY) answer(abi.VIRTIO_SCSI_S_BAD_TARGET);
    else if (this.#units[unit]?.options.lun !== this.#lunAt(abi.SCSI_TMF_LUN)) {
      answer(abi.VIRTIO_SCSI_S_INCORRECT_LUN);
    } else if (subtype === abi.VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET) {
      this.#resetting = true;
      this.#resetUnit(unit);
      this.#resetting = false;
      answer(abi.VIRTIO_SCSI_S_OK);
    } else this.#onTasks(chain, unit, subtype, payload, answer);
  }

  #onTasks(
    chain: Chain,
    unit: number,
    subtype: number,
    payload: number,
    answer: (code: number) => void,
  ): void {
    const one = subtype === abi.VIRTIO_SCSI_T_TMF_ABORT_TASK || subtype === abi.VIRTIO_SCSI_T_TMF_QUERY_TASK;
    const tag = this.#header.slice(abi.SCSI_TMF_TAG, abi.SCSI_TMF_TAG + TAG_BYTES);
    const found = this.#listed(unit).filter(
      (number) => !one || this.#requests[number]?.tag.every((byte, at) => byte === tag[at]) === true,
    );
    if (subtype === abi.VIRTIO_SCSI_T_TMF_QUERY_TASK || subtype === abi.VIRTIO_SCSI_T_TMF_QUERY_TASK_SET) {
      answer(found.length > 0 ? abi.VIRTIO_SCSI_S_FUNCTION_SUCCEEDED : abi.VIRTIO_SCSI_S_OK);
      return;
    }
    if (found.length === 0) {
      answer(abi.VIRTIO_SCSI_S_OK);
      return;
    }
    this.#await(chain, payload, one ? found.slice(0, 1) : found);
  }

  /** Cancels requests for a task management request, which is answered when the last of them is gone. */
  #await(chain: Chain, payload: number, found: readonly number[]): void {
    let number = 0;
    while (this.#waiters[number]?.chain !== undefined) number++;
    const waiter = this.#waiters[number] ?? new Waiter();
    this.#waiters[number] = waiter;
    waiter.chain = chain;
    waiter.payload = payload;
    waiter.left = found.length;
    for (const request of found) this.#cancel(request, number);
  }

  #oneLess(number: number): void {
    const waiter = this.#waiters[number];
    const queue = this.queue(abi.VIRTIO_SCSI_CONTROL_QUEUE);
    if (waiter?.chain === undefined || queue === undefined || --waiter.left > 0) return;
    const { chain } = waiter;
    waiter.chain = undefined;
    this.#answerTask(queue, chain, waiter.payload, abi.VIRTIO_SCSI_S_OK);
  }

  #answerTask(queue: Virtqueue, chain: Chain, payload: number, code: number): void {
    this.#response[0] = code;
    copyIn(this.space, chain, 0, this.#response, 0, 1);
    this.#complete(queue, chain, this.#counted(payload) + 1);
  }

  #resetTarget(target: number): void {
    this.#resetting = true;
    for (const index of this.#order) {
      if (this.#units[index]?.options.target === target) this.#resetUnit(index);
    }
    this.#resetting = false;
  }

  // --- Event queue ----------------------------------------------------------------------------------------------

  /** virtio_scsi_push_event: into the next buffer that the driver gave, or remembered as missed. */
  #pushEvent(unit: ScsiDisk | undefined, event: number, reason: number): void {
    const queue = this.queue(abi.VIRTIO_SCSI_EVENT_QUEUE);
    if ((this.status & VIRTIO_CONFIG_S_DRIVER_OK) === 0 || queue === undefined) return;
    const chain = queue.pop();
    if (chain === undefined) {
      this.#eventsDropped = true;
      return;
    }
    const missed = this.#eventsDropped ? abi.VIRTIO_SCSI_T_EVENTS_MISSED : 0;
    this.#eventsDropped = false;
    if (!this.#parse(chain, 0, abi.SCSI_EVENT_BYTES) || this.#bothWays) {
      this.#refuse(queue, chain);
      return;
    }
    const response = this.#response;
    response.fill(0);
    this.#responseView.setUint32(0, (event | missed) >>> 0, this.littleEndian);
    this.#responseView.setUint32(12, reason, this.littleEndian);
    if (unit !== undefined) {
      const { target, lun } = unit.options;
      response[4] = 1;
      response[5] = target;
      response[6] = lun < 256 ? 0 : 0x40 | (lun >>> 8);
      response[7] = lun & 0xff;
    }
    copyIn(this.space, chain, 0, response, 0, abi.SCSI_EVENT_BYTES);
    this.#complete(queue, chain, this.#counted(this.#payload) + abi.SCSI_EVENT_BYTES);
  }

  // --- State ----------------------------------------------------------------------------------------------------

  #exchangeRequest(state: StateStream, number: number): void {
    const request = this.#requests[number] ?? new Request();
    this.#requests[number] = request;
    request.busy = state.bool(request.busy);
    if (!request.busy) return;
    const { command } = request;
    state.bytes(command.cdb);
    command.lun = state.u16(command.lun);
    command.server = state.u8(command.server) as Server;
    command.direction = state.u8(command.direction) as Direction;
    command.bytes = state.integer(command.bytes);
    command.sense = state.u32(command.sense);
    state.bytes(request.tag);
    request.queue = state.u16(request.queue);
    request.unit = state.u16(request.unit);
    request.listed = state.bool(request.listed);
    request.cancelled = state.bool(request.cancelled);
    request.responseBytes = state.u32(request.responseBytes);
    request.skip = state.integer(request.skip);
    request.payload = state.integer(request.payload);
    request.reach = state.integer(request.reach);
    request.hangs = state.bool(request.hangs);
    request.ending = state.u32(request.ending);
    request.residual = state.integer(request.residual);
    request.moved = state.integer(request.moved);
    request.waiter = state.integer(request.waiter);
    request.place = state.integer(request.place);
    if (state.restoring) request.chain = this.queue(request.queue)?.take();
    request.chain?.exchange(state);
  }

  #exchangeWaiter(state: StateStream, number: number): void {
    const waiter = this.#waiters[number] ?? new Waiter();
    this.#waiters[number] = waiter;
    const waits = state.bool(waiter.chain !== undefined);
    waiter.left = state.u16(waiter.left);
    waiter.payload = state.integer(waiter.payload);
    if (!waits) {
      waiter.chain = undefined;
      return;
    }
    if (state.restoring) waiter.chain = this.queue(abi.VIRTIO_SCSI_CONTROL_QUEUE)?.take();
    waiter.chain?.exchange(state);
  }
}

/** What the driver left room for, and how much of the data area was written. */
interface Room {
  readonly payload: number;
  readonly responseBytes: number;
  readonly moved: number;
}

/** How a command ended, as far as its response says. */
interface Ending {
  readonly status: number;
  readonly residual: number;
  readonly senseBytes: number;
}

const NOTHING: Ending = { status: abi.GOOD, residual: 0, senseBytes: 0 };

/** Task management that is about one unit. */
const UNIT_TASKS: ReadonlySet<number> = new Set([
  abi.VIRTIO_SCSI_T_TMF_ABORT_TASK,
  abi.VIRTIO_SCSI_T_TMF_ABORT_TASK_SET,
  abi.VIRTIO_SCSI_T_TMF_CLEAR_TASK_SET,
  abi.VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET,
  abi.VIRTIO_SCSI_T_TMF_QUERY_TASK,
  abi.VIRTIO_SCSI_T_TMF_QUERY_TASK_SET,
]);
