import type { DiskGeometry } from './backends/geometry.ts';
import type { ScsiDiskOptions } from './scsi-disk.ts';

/** What pages of a disk tell of it. */
export interface PageInputs {
  readonly options: ScsiDiskOptions;
  readonly geometry: DiskGeometry;
  readonly blockSize: number;
  readonly writeCache: boolean;
}

const VPD_SUPPORTED = 0x00;
const VPD_SERIAL = 0x80;
const VPD_IDENTIFICATION = 0x83;
const VPD_LIMITS = 0xb0;
const VPD_CHARACTERISTICS = 0xb1;
const VPD_PROVISIONING = 0xb2;
const SERIAL_MAX = 36;
const DEVICE_ID_MAX = 247;
const LIMITS_BYTES = 0x3c;
const UNMAP_DESCRIPTORS_MAX = 255;
/** What the back end takes at once: INT_MAX bytes, in whole sectors. */
const BACK_END_MAX = 0x7fff_fe00;

export function putHalf(into: Uint8Array, at: number, value: number): void {
  into[at] = (value >>> 8) & 0xff;
  into[at + 1] = value & 0xff;
}

export function putWide(into: Uint8Array, at: number, value: number): void {
  putHalf(into, at, Math.floor(value / 0x1_0000));
  putHalf(into, at + 2, value % 0x1_0000);
}

/** Text in a field of fixed length, filled up with spaces. */
export function putText(into: Uint8Array, at: number, length: number, text: string): void {
  for (let i = 0; i < length; i++) into[at + i] = i < text.length ? text.charCodeAt(i) : 0x20;
}

/** A block address as minutes, seconds and frames of an audio disc. */
export function putMinutes(into: Uint8Array, at: number, block: number): void {
  const frames = block + 150;
  into[at] = Math.floor(frames / 75 / 60) & 0xff;
  into[at + 1] = Math.floor(frames / 75) % 60;
  into[at + 2] = frames % 75;
}

/** The raw table of contents of a disc with one track (cdrom_read_toc_raw). */
export function putRawToc(into: Uint8Array, blocks: number, inMinutes: boolean): void {
  const ROW_BYTES = 11;
  putHalf(into, 0, 2 + 4 * ROW_BYTES);
  into.set([1, 1], 2);
  for (const [row, point] of [0xa0, 0xa1, 0xa2, 1].entries()) {
    const at = 4 + row * ROW_BYTES;
    into.set([1, 0x14, 0, point], at);
    if (row < 2) into[at + 8] = 1;
    else if (inMinutes) putMinutes(into, at + 8, row === 2 ? blocks : 0);
    else if (row === 2) putWide(into, at + 7, blocks);
  }
}

/** A page of vital product data into zeroes (scsi_disk_emulate_vpd_page). False for a page that the disk has not. */
export function vitalPage(into: Uint8Array, page: number, inputs: PageInputs): boolean {
  const put = VITAL_PAGES.get(page);
  const length = put?.(into, inputs);
  if (length === undefined) return false;
  into[1] = page;
  into[3] = length;
  return true;
}

/** Writes from byte 4 on and returns how many bytes; undefined if this disk does without the page. */
type PutVital = (into: Uint8Array, inputs: PageInputs) => number | undefined;

const VITAL_PAGES: ReadonlyMap<number, PutVital> = new Map<number, PutVital>([
  [
    VPD_SUPPORTED,
    (into, { options }) => {
      const serial = options.serial === undefined ? [] : [VPD_SERIAL];
      const pages = [VPD_SUPPORTED, ...serial, VPD_IDENTIFICATION];
      pages.push(VPD_LIMITS, VPD_CHARACTERISTICS, VPD_PROVISIONING);
      into.set(pages, 4);
      return pages.length;
    },
  ],
  [
    VPD_SERIAL,
    (into, { options }) => {
      if (options.serial === undefined) return undefined;
      const length = Math.min(options.serial.length, SERIAL_MAX);
      putText(into, 4, length, options.serial);
      return length;
    },
  ],
  [VPD_IDENTIFICATION, putIdentification],
  [VPD_LIMITS, putLimits],
  [
    VPD_CHARACTERISTICS,
    (into, { options }) => {
      putHalf(into, 4, options.rotationRate);
      return 0x3c;
    },
  ],
  [
    VPD_PROVISIONING,
    (into, { options }) => {
      into[5] = 0xe0;
      into[6] = options.discardGranularity === 0 ? 1 : 2;
      return 4;
    },
  ],
]);

function putIdentification(into: Uint8Array, { options }: PageInputs): number {
  let at = 4;
  const length = Math.min(options.deviceId.length, DEVICE_ID_MAX);
  if (length > 0) {
    into.set([0x02, 0x00, 0x00, length], at);
    putText(into, at + 4, length, options.deviceId);
    at += 4 + length;
  }
  for (const [name, first, second] of [
    [options.wwn, 0x01, 0x03],
    [options.portWwn, 0x61, 0x93],
  ] as const) {
    if (name === 0n) continue;
    into.set([first, second, 0x00, 8], at);
    for (let i = 0; i < 8; i++) into[at + 4 + i] = Number((name >> BigInt(56 - 8 * i)) & 0xffn);
    at += 12;
  }
  if (options.portIndex !== 0) {
    into.set([0x61, 0x94, 0x00, 4], at);
    putHalf(into, at + 6, options.portIndex);
    at += 8;
  }
  return at - 4;
}

function putLimits(into: Uint8Array, { options, blockSize }: PageInputs): number {
  const blocks = (bytes: number): number => Math.floor(bytes / blockSize);
  const asked = blocks(options.maxIoSize) % 2 ** 32;
  const possible = blocks(BACK_END_MAX);
  const most = asked === 0 ? possible : Math.min(asked, possible);
  into[4] = 1;
  putHalf(into, 6, Math.min(blocks(options.minIoSize), most) & 0xffff);
  putWide(into, 8, most);
  putWide(into, 12, Math.min(blocks(options.optIoSize), most));
  putWide(into, 20, blocks(options.maxUnmapSize) % 2 ** 32);
  putWide(into, 24, UNMAP_DESCRIPTORS_MAX);
  putWide(into, 28, blocks(options.discardGranularity));
  putWide(into, 40, most);
  return LIMITS_BYTES;
}

/** Mode pages of a disk, in the order in which all of them are told (mode_sense_page). */
const MODE_PAGES: ReadonlyMap<number, (inputs: PageInputs, changeable: boolean) => readonly number[]> =
  new Map([
    [0x01, (_inputs, changeable) => padded(10, changeable ? [] : [[0, 0x80]])],
    [0x04, (inputs, changeable) => padded(0x16, changeable ? [] : rigidGeometry(inputs))],
    [0x05, (inputs, changeable) => padded(0x1e, changeable ? [] : flexibleGeometry(inputs))],
    [0x08, (inputs, changeable) => padded(0x12, changeable || inputs.writeCache ? [[0, 4]] : [])],
  ]);

export function modePages(): readonly number[] {
  return [...MODE_PAGES.keys()];
}

/** Writes a mode page with its header at `at` and returns its length; 0 for a page that the disk has not. */
export function putModePage(
  into: Uint8Array,
  at: number,
  page: number,
  changeable: boolean,
  inputs: PageInputs,
): number {
  const content = MODE_PAGES.get(page)?.(inputs, changeable);
  if (content === undefined) return 0;
  into[at] = page;
  into[at + 1] = content.length;
  into.set(content, at + 2);
  return content.length + 2;
}

function padded(length: number, set: readonly (readonly [at: number, value: number])[]): readonly number[] {
  const bytes: number[] = Array.from({ length }, () => 0);
  for (const [at, value] of set) bytes[at] = value & 0xff;
  return bytes;
}

type Bytes = (readonly [at: number, value: number])[];

function rigidGeometry({ geometry }: PageInputs): Bytes {
  const { cylinders, heads } = geometry;
  const set: Bytes = [
    [3, heads],
    // Step rate 200 ns, landing zone, 5400 revolutions a minute.
    [11, 200],
    [12, 0xff],
    [13, 0xff],
    [14, 0xff],
    [18, 5400 >> 8],
    [19, 5400],
  ];
  // How many there are, where precompensation begins, where reduced current begins.
  for (const at of [0, 4, 7]) {
    set.push([at, cylinders >> 16], [at + 1, cylinders >> 8], [at + 2, cylinders]);
  }
  return set;
}

function flexibleGeometry({ geometry, blockSize }: PageInputs): Bytes {
  const { cylinders, heads, sectors } = geometry;
  const set: Bytes = [
    // 5 Mbit/s.
    [0, 5000 >> 8],
    [1, 5000],
    [2, heads],
    [3, sectors],
    [4, blockSize >> 8],
    [13, 1],
    [14, 1],
    [16, 1],
    [17, 1],
    [18, 1],
    [26, 5400 >> 8],
    [27, 5400],
  ];
  for (const at of [6, 8, 10]) set.push([at, cylinders >> 8], [at + 1, cylinders]);
  return set;
}
