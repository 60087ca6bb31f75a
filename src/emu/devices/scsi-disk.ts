import type { Stateful, StateStream } from '../core/state.ts';
import { SECTOR_BYTES, type Disk } from './backends/disk.ts';
import { guessGeometry, type DiskGeometry } from './backends/geometry.ts';
import { doublings } from './device.ts';
import * as op from './scsi-abi.ts';
import {
  blockAddress,
  blockCount,
  cdbLength,
  direction,
  half,
  NO_DATA,
  transferLength,
  wide,
  type Direction,
} from './scsi-cdb.ts';
import {
  modePages,
  putHalf,
  putMinutes,
  putModePage,
  putRawToc,
  putText,
  putWide,
  vitalPage,
  type PageInputs,
} from './scsi-pages.ts';
import * as sense from './scsi-sense.ts';
import type { Sense } from './scsi-sense.ts';

/** Properties of scsi-hd, each with QEMU's name (hw/scsi/scsi-disk.c). */
export interface ScsiDiskOptions {
  /** The `id=` it was given; '' without. */
  readonly id: string;
  readonly target: number;
  readonly lun: number;
  readonly logicalBlockSize: number;
  readonly physicalBlockSize: number;
  readonly minIoSize: number;
  readonly optIoSize: number;
  readonly discardGranularity: number;
  readonly writeCache: boolean;
  readonly version: string;
  readonly vendor: string;
  readonly product: string;
  /** Undefined where none was given: then there is no page 0x80. */
  readonly serial: string | undefined;
  readonly deviceId: string;
  readonly removable: boolean;
  readonly dpofua: boolean;
  readonly wwn: bigint;
  readonly portWwn: bigint;
  readonly portIndex: number;
  readonly maxUnmapSize: number;
  readonly maxIoSize: number;
  readonly rotationRate: number;
  readonly scsiVersion: number;
  /** Undefined where it is guessed. */
  readonly geometry: DiskGeometry | undefined;
}

/** The bus that a disk sits on. */
export interface ScsiBus {
  unitAttention: Sense;
  /** Logical units of a target in the order in which a bus lists them, unit 0 left out. */
  lunsOf(target: number): readonly number[];
}

/** Who serves a command: nobody, the target itself, or the disk, from a buffer or from its medium. */
const BAD_OPCODE = 0;
const BAD_FIELD = 1;
const ATTENTION = 2;
const TARGET = 3;
const EMULATED = 4;
export const MEDIUM = 5;
export type Server =
  | typeof BAD_OPCODE
  | typeof BAD_FIELD
  | typeof ATTENTION
  | typeof TARGET
  | typeof EMULATED
  | typeof MEDIUM;

/** What a command came to: refused with `sense`, done, `length` bytes of `buffer` to move, or to be waited for. */
export const REFUSED = 0;
export const DONE = 1;
export const MOVES = 2;
const WAITS = 3;
type Outcome = typeof REFUSED | typeof DONE | typeof MOVES | typeof WAITS;

/** A command as the disk sees it. */
export class ScsiCommand {
  readonly cdb: Uint8Array<ArrayBuffer> = new Uint8Array(op.CDB_BYTES_MAX);
  lun = 0;
  server: Server = BAD_OPCODE;
  direction: Direction = NO_DATA;
  /** Bytes that the command says it moves. */
  bytes = 0;
  sense: Sense = sense.NO_SENSE;

  get opcode(): number {
    return this.cdb[0] ?? 0;
  }
}

/** QEMU takes no longer parameter or answer than this. */
const BUFFER_BYTES = 65536;
const TARGET_INQUIRY_BYTES = 36;
const INQUIRY_BYTES_MAX = 256;
const MODE_BYTES_MAX = 256;
const TRANSFER_MAX = 0x7fffffff;
const HARDWARE_VERSION = '2.5';
const PAGE_ALL = 0x3f;
const PAGE_CACHING = 8;
const WCE = 4;

const QUIET: ReadonlySet<number> = new Set([
  op.INQUIRY,
  op.GET_CONFIGURATION,
  op.GET_EVENT_STATUS_NOTIFICATION,
]);
const READS: readonly number[] = [op.READ_6, op.READ_10, op.READ_12, op.READ_16];
const WRITES: ReadonlySet<number> = new Set([
  op.WRITE_6,
  op.WRITE_10,
  op.WRITE_12,
  op.WRITE_16,
  op.WRITE_VERIFY_10,
  op.WRITE_VERIFY_12,
  op.WRITE_VERIFY_16,
]);
const ON_MEDIUM: ReadonlySet<number> = new Set([...READS, ...WRITES]);

/** One logical unit: scsi-hd on the SCSI bus of a host adapter (QEMU hw/scsi/scsi-bus.c, scsi-disk.c). */
export class ScsiDisk implements Stateful {
  readonly options: ScsiDiskOptions;
  readonly disk: Disk;
  /** Where data of a command that `MOVES` is, or goes. */
  readonly buffer: Uint8Array<ArrayBuffer> = new Uint8Array(BUFFER_BYTES);
  /** What a refused command is refused with; what one that `WAITS` will end with. */
  sense: Sense = sense.NO_SENSE;
  /** Bytes that a command `MOVES`. */
  length = 0;
  plugged = true;
  writeCache: boolean;
  readonly #bus: ScsiBus;
  readonly #geometry: DiskGeometry;
  #attention: Sense = sense.NO_SENSE;
  #held: Sense = sense.NO_SENSE;
  #heldIsAttention = false;
  #blockSize: number;
  #lastBlock = 0;
  #trayOpen = false;
  #trayLocked = false;

  constructor(options: ScsiDiskOptions, disk: Disk, bus: ScsiBus) {
    this.options = options;
    this.disk = disk;
    this.#bus = bus;
    this.#geometry = options.geometry ?? guessGeometry(disk);
    this.#blockSize = options.logicalBlockSize;
    this.writeCache = options.writeCache;
  }

  exchange(state: StateStream): void {
    this.plugged = state.bool(this.plugged);
    this.writeCache = state.bool(this.writeCache);
    this.#attention = state.u32(this.#attention);
    this.#held = state.u32(this.#held);
    this.#heldIsAttention = state.bool(this.#heldIsAttention);
    this.#blockSize = state.u32(this.#blockSize);
    this.#lastBlock = state.integer(this.#lastBlock);
    this.#trayOpen = state.bool(this.#trayOpen);
    this.#trayLocked = state.bool(this.#trayLocked);
  }

  /** scsi_disk_reset, once the requests are gone. */
  reset(): void {
    this.raise(sense.POWER_ON_OR_RESET);
    this.#lastBlock = Math.max(this.#blocks() - 1, 0);
    this.#trayOpen = false;
    this.#trayLocked = false;
  }

  /** A unit attention comes up (scsi_device_set_ua). */
  raise(attention: Sense): void {
    this.#attention = sense.moreImportant(this.#attention, attention);
  }

  /** 512-byte sector that a block begins at. */
  sectorOf(block: number): number {
    return block * (this.#blockSize / SECTOR_BYTES);
  }

  // --- A command's life -----------------------------------------------------------------------------------------

  /** scsi_req_new: who will serve the `available` bytes of a command that `command` holds the first of. */
  admit(command: ScsiCommand, available: number): void {
    const { cdb, opcode } = command;
    command.sense = sense.NO_SENSE;
    command.bytes = 0;
    command.direction = NO_DATA;
    command.server = BAD_OPCODE;
    const server = available === 0 ? BAD_OPCODE : this.#server(command);
    const length = cdbLength(opcode);
    if (length === undefined || length > available) {
      cdb.fill(0);
      return;
    }
    cdb.fill(0, length);
    command.bytes = transferLength(cdb, this.#blockSize);
    command.direction = direction(cdb, command.bytes);
    command.server = command.bytes > TRANSFER_MAX ? BAD_FIELD : server;
    if (command.server === ATTENTION) command.sense = this.#takeAttention();
  }

  #server(command: ScsiCommand): Server {
    const { opcode } = command;
    const silent = QUIET.has(opcode) || opcode === op.REPORT_LUNS;
    const retold = opcode === op.REQUEST_SENSE && this.#heldIsAttention;
    if (this.#attends() && !silent && !retold) return ATTENTION;
    const told = opcode === op.REQUEST_SENSE && this.#held !== sense.NO_SENSE;
    if (command.lun !== this.options.lun || opcode === op.REPORT_LUNS || told) return TARGET;
    return ON_MEDIUM.has(opcode) ? MEDIUM : EMULATED;
  }

  #attends(): boolean {
    return sense.isUnitAttention(this.#attention) || sense.isUnitAttention(this.#bus.unitAttention);
  }

  #takeAttention(): Sense {
    const own = sense.isUnitAttention(this.#attention);
    const taken = own ? this.#attention : this.#bus.unitAttention;
    this.#dropAttention();
    return taken;
  }

  #dropAttention(): void {
    if (sense.isUnitAttention(this.#attention)) this.#attention = sense.NO_SENSE;
    else this.#bus.unitAttention = sense.NO_SENSE;
  }

  /** send_command: begins a command that was admitted. */
  begin(command: ScsiCommand): Outcome {
    switch (command.server) {
      case BAD_OPCODE:
        return this.#refuse(sense.INVALID_OPCODE);
      case BAD_FIELD:
        return this.#refuse(sense.INVALID_FIELD);
      case ATTENTION:
        return this.#refuse(command.sense);
      case TARGET:
        return this.#answerAsTarget(command);
      case EMULATED:
        return this.#emulate(command);
      default:
        return this.#checkMedium(command);
    }
  }

  /** scsi_req_complete: what the unit remembers of how a command ended. */
  ended(command: ScsiCommand, ending: Sense): void {
    this.#held = ending;
    this.#heldIsAttention = ending !== sense.NO_SENSE && command.server === ATTENTION;
    if (command.server === ATTENTION || !this.#attends() || QUIET.has(command.opcode)) return;
    const pending = sense.isUnitAttention(this.#attention) ? this.#attention : this.#bus.unitAttention;
    if (command.opcode === op.REPORT_LUNS && pending !== sense.REPORTED_LUNS_CHANGED) return;
    this.#dropAttention();
  }

  /** scsi_req_get_sense: the host adapter has handed the sense over. */
  senseTold(): void {
    if (!this.#heldIsAttention) return;
    this.#held = sense.NO_SENSE;
    this.#heldIsAttention = false;
  }

  /** Takes `bytes` of parameters that the initiator sent into `buffer`. */
  accept(command: ScsiCommand): Outcome {
    switch (command.opcode) {
      case op.MODE_SELECT:
      case op.MODE_SELECT_10:
        return this.#modeSelect(command);
      case op.UNMAP:
        return this.#unmap(command);
      case op.WRITE_SAME_10:
      case op.WRITE_SAME_16:
        return this.#writeSame(command);
      case op.FORMAT_UNIT:
        return DONE;
      default:
        return this.#refuse(sense.INVALID_FIELD);
    }
  }

  #refuse(reason: Sense): Outcome {
    this.sense = reason;
    return REFUSED;
  }

  #moves(length: number): Outcome {
    this.length = length;
    return length === 0 ? DONE : MOVES;
  }

  // --- The target -----------------------------------------------------------------------------------------------

  /** scsi_target_send_command: REPORT LUNS, sense to fetch, and units that are not there. */
  #answerAsTarget(command: ScsiCommand): Outcome {
    const { opcode, lun, bytes, cdb } = command;
    const { buffer } = this;
    if (lun !== 0 && opcode !== op.INQUIRY && opcode !== op.REQUEST_SENSE) {
      return this.#refuse(sense.LUN_NOT_SUPPORTED);
    }
    const fixed = ((cdb[1] ?? 0) & 1) === 0;
    switch (opcode) {
      case op.REPORT_LUNS:
        return this.#reportLuns(command);
      case op.INQUIRY:
        return this.#targetInquiry(command);
      case op.REQUEST_SENSE: {
        const told = lun === 0 ? this.#held : sense.LUN_NOT_SUPPORTED;
        const length = sense.putSense(buffer, told, bytes, fixed);
        this.senseTold();
        return this.#moves(length);
      }
      case op.TEST_UNIT_READY:
        return DONE;
      default:
        return this.#refuse(sense.INVALID_OPCODE);
    }
  }

  #reportLuns({ cdb, bytes }: ScsiCommand): Outcome {
    if (bytes < 16 || (cdb[2] ?? 0) > 2) return this.#refuse(sense.INVALID_FIELD);
    const luns = this.#bus.lunsOf(this.options.target);
    const { buffer } = this;
    const length = 16 + 8 * luns.length;
    buffer.fill(0, 0, length);
    putWide(buffer, 0, length - 8);
    for (const [i, lun] of luns.entries()) {
      const at = 16 + 8 * i;
      // Up to 255 in simple addressing, beyond in flat.
      buffer[at] = lun < 256 ? 0 : 0x40 | (lun >>> 8);
      buffer[at + 1] = lun & 0xff;
    }
    return this.#moves(Math.min(length, bytes - (bytes % 8)));
  }

  #targetInquiry({ cdb, bytes, lun }: ScsiCommand): Outcome {
    const flags = cdb[1] ?? 0;
    const page = cdb[2] ?? 0;
    const { buffer } = this;
    if ((flags & 2) !== 0 || page !== 0) return this.#refuse(sense.INVALID_FIELD);
    if ((flags & 1) !== 0) {
      buffer.set([0, 0, 1, 0]);
      return this.#moves(Math.min(4, bytes));
    }
    const length = Math.min(bytes, TARGET_INQUIRY_BYTES);
    buffer.fill(0, 0, TARGET_INQUIRY_BYTES);
    if (lun === 0) {
      // A unit that could be there and is not.
      buffer.set([0x3f, 0, 5, 0x12, (length - 5) & 0xff, 0, 0, 0x12]);
      putText(buffer, 8, 8, 'QEMU');
      putText(buffer, 16, 16, 'QEMU TARGET');
      for (let i = 0; i < HARDWARE_VERSION.length; i++) buffer[32 + i] = HARDWARE_VERSION.charCodeAt(i);
    } else buffer[0] = 0x7f;
    return this.#moves(length);
  }

  // --- Commands that are answered from a buffer -----------------------------------------------------------------

  /** scsi_disk_emulate_command. */
  #emulate(command: ScsiCommand): Outcome {
    const { cdb, opcode, bytes } = command;
    if (bytes > BUFFER_BYTES) return this.#refuse(sense.INVALID_FIELD);
    this.buffer.fill(0, 0, Math.max(4096, bytes));
    const flags = cdb[1] ?? 0;
    let refusal: Sense = sense.NO_SENSE;
    switch (opcode) {
      case op.TEST_UNIT_READY:
      case op.MODE_SELECT:
      case op.MODE_SELECT_10:
      case op.UNMAP:
      case op.WRITE_SAME_10:
      case op.WRITE_SAME_16:
      case op.FORMAT_UNIT:
        break;
      case op.REQUEST_SENSE:
        // With sense to tell, the target would have answered.
        sense.putSense(this.buffer, sense.NO_SENSE, BUFFER_BYTES, (flags & 1) === 0);
        break;
      case op.INQUIRY:
        refusal = this.#inquiry(command);
        break;
      case op.MODE_SENSE:
      case op.MODE_SENSE_10:
        refusal = this.#modeSense(command);
        break;
      case op.READ_TOC:
        refusal = this.#readToc(command);
        break;
      case op.RESERVE:
      case op.RELEASE:
        if ((flags & 1) !== 0) refusal = sense.INVALID_FIELD;
        break;
      case op.RESERVE_10:
      case op.RELEASE_10:
        if ((flags & 3) !== 0) refusal = sense.INVALID_FIELD;
        break;
      case op.START_STOP:
        refusal = this.#startStop(cdb[4] ?? 0);
        break;
      case op.ALLOW_MEDIUM_REMOVAL:
        this.#trayLocked = ((cdb[4] ?? 0) & 1) !== 0;
        break;
      case op.READ_CAPACITY_10:
        refusal = this.#readCapacity10(command);
        break;
      case op.SERVICE_ACTION_IN_16:
        refusal =
          (flags & 31) === op.SAI_READ_CAPACITY_16 ? this.#readCapacity16(command) : sense.INVALID_FIELD;
        break;
      case op.SYNCHRONIZE_CACHE:
        this.sense = sense.NO_SENSE;
        return WAITS;
      case op.SEEK_10:
        if (blockAddress(cdb) > this.#lastBlock) refusal = sense.LBA_OUT_OF_RANGE;
        break;
      case op.VERIFY_10:
      case op.VERIFY_12:
      case op.VERIFY_16:
        if ((flags & 6) !== 0) refusal = sense.INVALID_FIELD;
        break;
      // Commands of drives with exchangeable discs.
      case op.GET_CONFIGURATION:
      case op.GET_EVENT_STATUS_NOTIFICATION:
      case op.MECHANISM_STATUS:
      case op.READ_DISC_INFORMATION:
      case op.READ_DVD_STRUCTURE:
        refusal = sense.INVALID_FIELD;
        break;
      default:
        refusal = sense.INVALID_OPCODE;
    }
    return refusal === sense.NO_SENSE ? this.#moves(bytes) : this.#refuse(refusal);
  }

  get #pages(): PageInputs {
    return {
      options: this.options,
      geometry: this.#geometry,
      blockSize: this.#blockSize,
      writeCache: this.writeCache,
    };
  }

  #inquiry({ cdb, bytes }: ScsiCommand): Sense {
    const { buffer, options } = this;
    const page = cdb[2] ?? 0;
    if (((cdb[1] ?? 0) & 1) !== 0) {
      return vitalPage(buffer, page, this.#pages) ? sense.NO_SENSE : sense.INVALID_FIELD;
    }
    if (page !== 0) return sense.INVALID_FIELD;
    const length = Math.min(bytes, INQUIRY_BYTES_MAX);
    buffer[1] = options.removable ? 0x80 : 0;
    buffer[2] = options.scsiVersion;
    buffer[3] = 0x12;
    buffer[4] = length > 36 ? length - 5 : 31;
    buffer[7] = 0x12;
    putText(buffer, 8, 8, options.vendor);
    putText(buffer, 16, 16, options.product);
    for (let i = 0; i < Math.min(4, options.version.length); i++) {
      buffer[32 + i] = options.version.charCodeAt(i);
    }
    return sense.NO_SENSE;
  }

  #modeSense({ cdb, opcode }: ScsiCommand): Sense {
    const { buffer } = this;
    const short = opcode === op.MODE_SENSE;
    const wanted = (cdb[2] ?? 0) & PAGE_ALL;
    const control = (cdb[2] ?? 0) >>> 6;
    const specific = (this.options.dpofua ? 0x10 : 0) | (this.disk.readOnly ? 0x80 : 0);
    buffer[short ? 2 : 3] = specific;
    let at = short ? 4 : 8;
    if (((cdb[1] ?? 0) & 8) === 0 && this.disk.sectors > 0) {
      buffer[short ? 3 : 7] = 8;
      const blocks = this.#blocks();
      putWide(buffer, at, blocks > 0xff_ffff ? 0 : blocks);
      buffer[at + 6] = (this.#blockSize >>> 8) & 0xff;
      at += 8;
    }
    if (control === 3) return sense.SAVING_NOT_SUPPORTED;
    const numbers = wanted === PAGE_ALL ? modePages() : [wanted];
    const first = at;
    for (const number of numbers) at += this.#modePage(buffer, at, number, control === 1);
    if (at === first) return sense.INVALID_FIELD;
    if (short) buffer[0] = at - 1;
    else putHalf(buffer, 0, at - 2);
    return sense.NO_SENSE;
  }

  #modePage(into: Uint8Array, at: number, page: number, changeable: boolean): number {
    return putModePage(into, at, page, changeable, this.#pages);
  }

  /** The contents of a disc with one track (hw/block/cdrom.c), which QEMU tells of disks as well. */
  #readToc({ cdb }: ScsiCommand): Sense {
    const { buffer } = this;
    const format = (cdb[2] ?? 0) & 0xf;
    const inMinutes = ((cdb[1] ?? 0) & 2) !== 0;
    const track = cdb[6] ?? 0;
    const address = (at: number, block: number): void => {
      if (inMinutes) putMinutes(buffer, at + 1, block);
      else putWide(buffer, at, block);
    };
    const blocks = this.#blocks();
    if (format === 1) {
      buffer.set([0, 0x0a, 1, 1]);
      return sense.NO_SENSE;
    }
    if (format === 2) {
      putRawToc(buffer, blocks, inMinutes);
      return sense.NO_SENSE;
    }
    if (format !== 0 || (track > 1 && track !== 0xaa)) return sense.INVALID_FIELD;
    buffer.set([1, 1], 2);
    let at = 4;
    if (track <= 1) {
      buffer.set([0, 0x14, 1, 0], at);
      address(at + 4, 0);
      at += 8;
    }
    buffer.set([0, 0x16, 0xaa, 0], at);
    address(at + 4, blocks);
    putHalf(buffer, 0, at + 8 - 2);
    return sense.NO_SENSE;
  }

  #startStop(flags: number): Sense {
    if ((flags & 0xf0) !== 0 || !this.options.removable || (flags & 2) === 0) return sense.NO_SENSE;
    const start = (flags & 1) !== 0;
    if (!start && !this.#trayOpen && this.#trayLocked) return sense.REMOVAL_PREVENTED;
    this.#trayOpen = !start;
    return sense.NO_SENSE;
  }

  #readCapacity10({ cdb }: ScsiCommand): Sense {
    if (this.disk.sectors === 0) return sense.LUN_NOT_READY;
    if (((cdb[8] ?? 0) & 1) === 0 && blockAddress(cdb) !== 0) return sense.INVALID_FIELD;
    this.#lastBlock = this.#blocks() - 1;
    putWide(this.buffer, 0, Math.min(this.#lastBlock, 0xffff_ffff));
    this.buffer[6] = (this.#blockSize >>> 8) & 0xff;
    return sense.NO_SENSE;
  }

  #readCapacity16({ cdb }: ScsiCommand): Sense {
    const { buffer, options } = this;
    if (this.disk.sectors === 0) return sense.LUN_NOT_READY;
    if (((cdb[14] ?? 0) & 1) === 0 && blockAddress(cdb) !== 0) return sense.INVALID_FIELD;
    this.#lastBlock = this.#blocks() - 1;
    putWide(buffer, 0, Math.floor(this.#lastBlock / 2 ** 32));
    putWide(buffer, 4, this.#lastBlock % 2 ** 32);
    buffer[10] = (this.#blockSize >>> 8) & 0xff;
    buffer[13] = doublings(options.logicalBlockSize, options.physicalBlockSize);
    buffer[14] = options.discardGranularity === 0 ? 0 : 0x80;
    return sense.NO_SENSE;
  }

  // --- Parameters -----------------------------------------------------------------------------------------------

  #modeSelect({ cdb, opcode, bytes }: ScsiCommand): Outcome {
    const { buffer } = this;
    if (((cdb[1] ?? 0) & 0x11) !== 0x10) return this.#refuse(sense.INVALID_FIELD);
    const header = opcode === op.MODE_SELECT ? 4 : 8;
    if (bytes < header) return this.#refuse(sense.INVALID_PARAMETER_LENGTH);
    const described = opcode === op.MODE_SELECT ? (buffer[3] ?? 0) : half(buffer, 6);
    if (bytes - header < described) return this.#refuse(sense.INVALID_PARAMETER_LENGTH);
    if (described !== 0 && described !== 8) return this.#refuse(sense.INVALID_PARAMETER);
    if (described === 8) {
      const size = wide(buffer, header + 4) & 0xff_ffff;
      // Only these bits are told back by other commands. The new size stays, whatever follows.
      if (size !== 0 && (size & ~0xfe00) === 0) this.#blockSize = size;
    }
    const first = header + described;
    const wrong = this.#checkPages(first, bytes);
    if (wrong !== sense.NO_SENSE) return this.#refuse(wrong);
    this.#applyPages(first, bytes);
    this.sense = sense.NO_SENSE;
    return this.writeCache ? DONE : WAITS;
  }

  /** Nothing changes unless every page is right: QEMU goes over them twice. */
  #checkPages(first: number, end: number): Sense {
    let at = first;
    while (at < end) {
      const long = ((this.buffer[at] ?? 0) & 0x40) !== 0;
      const header = long ? 4 : 2;
      if (end - at < header) return sense.INVALID_PARAMETER_LENGTH;
      if (long && this.buffer[at + 1] !== 0) return sense.INVALID_PARAMETER;
      const length = long ? half(this.buffer, at + 2) : (this.buffer[at + 1] ?? 0);
      if (length > end - at - header) return sense.INVALID_PARAMETER_LENGTH;
      if (!this.#pageFits((this.buffer[at] ?? 0) & PAGE_ALL, at + header, length))
        return sense.INVALID_PARAMETER;
      at += header + length;
    }
    return sense.NO_SENSE;
  }

  #pageFits(page: number, at: number, length: number): boolean {
    if (length + 2 > MODE_BYTES_MAX || page === PAGE_ALL) return false;
    const present = new Uint8Array(MODE_BYTES_MAX);
    const changeable = new Uint8Array(MODE_BYTES_MAX);
    if (this.#modePage(present, 0, page, false) !== length + 2) return false;
    this.#modePage(changeable, 0, page, true);
    for (let i = 0; i < length; i++) {
      const differs = (present[i + 2] ?? 0) ^ (this.buffer[at + i] ?? 0);
      if ((differs & ~(changeable[i + 2] ?? 0)) !== 0) return false;
    }
    return true;
  }

  #applyPages(first: number, end: number): void {
    let at = first;
    while (at < end) {
      const long = ((this.buffer[at] ?? 0) & 0x40) !== 0;
      const header = long ? 4 : 2;
      const length = long ? half(this.buffer, at + 2) : (this.buffer[at + 1] ?? 0);
      if (((this.buffer[at] ?? 0) & PAGE_ALL) === PAGE_CACHING) {
        this.writeCache = ((this.buffer[at + header] ?? 0) & WCE) !== 0;
      }
      at += header + length;
    }
  }

  /** Discards nothing: the drive is used with discard=ignore. Ranges are checked one after the other all the same. */
  #unmap({ cdb, bytes }: ScsiCommand): Outcome {
    const { buffer } = this;
    if (((cdb[1] ?? 0) & 1) !== 0) return this.#refuse(sense.INVALID_FIELD);
    const described = half(buffer, 2);
    const short = bytes < 8 || bytes < half(buffer, 0) + 2 || bytes < described + 8;
    if (short || described % 16 !== 0) return this.#refuse(sense.INVALID_PARAMETER_LENGTH);
    if (this.disk.readOnly) return this.#refuse(sense.WRITE_PROTECTED);
    this.sense = sense.NO_SENSE;
    for (let at = 8; at < described + 8; at += 16) {
      if (this.#inRange(wide(buffer, at) * 2 ** 32 + wide(buffer, at + 4), wide(buffer, at + 8))) continue;
      this.sense = sense.LBA_OUT_OF_RANGE;
      // Those before it were begun, so the refusal comes after them.
      return at === 8 ? REFUSED : WAITS;
    }
    return described === 0 ? DONE : WAITS;
  }

  #writeSame({ cdb }: ScsiCommand): Outcome {
    const count = blockCount(cdb);
    if (count === 0 || ((cdb[1] ?? 0) & 0x16) !== 0) return this.#refuse(sense.INVALID_FIELD);
    if (this.disk.readOnly) return this.#refuse(sense.WRITE_PROTECTED);
    const first = blockAddress(cdb);
    if (!this.#inRange(first, count)) return this.#refuse(sense.LBA_OUT_OF_RANGE);
    this.sense = sense.NO_SENSE;
    const end = first + count;
    // A disk that shrank since its capacity was asked for takes none of it.
    if (end * this.#blockSize > this.disk.sectors * SECTOR_BYTES) this.sense = sense.IO_ERROR;
    else {
      for (let block = first; block < end; block++) {
        this.disk.write(block * this.#blockSize, this.buffer, 0, this.#blockSize);
      }
    }
    return WAITS;
  }

  // --- The medium -----------------------------------------------------------------------------------------------

  /** scsi_disk_dma_command: what can be said before a byte moves. */
  #checkMedium(command: ScsiCommand): Outcome {
    const { cdb } = command;
    if (WRITES.has(command.opcode) && this.disk.readOnly) return this.#refuse(sense.WRITE_PROTECTED);
    if (this.options.scsiVersion > 2 && ((cdb[1] ?? 0) & 0xe0) !== 0)
      return this.#refuse(sense.INVALID_FIELD);
    const count = blockCount(cdb);
    if (!this.#inRange(blockAddress(cdb), count)) return this.#refuse(sense.LBA_OUT_OF_RANGE);
    return count === 0 ? DONE : WAITS;
  }

  #inRange(first: number, count: number): boolean {
    return first + count <= this.#lastBlock + 1;
  }

  #blocks(): number {
    return Math.floor(this.disk.sectors / (this.#blockSize / SECTOR_BYTES));
  }
}
