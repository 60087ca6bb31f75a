/**
 * Sense data (SPC-3, 4.5; QEMU scsi/utils.c). A sense is one number here: key in bits 16 to 23, additional sense code in 8
 * to 15, its qualifier in 0 to 7.
 */
export type Sense = number;

export const NO_SENSE: Sense = 0x00_00_00;
export const LUN_NOT_READY: Sense = 0x02_04_03;
export const INVALID_PARAMETER_LENGTH: Sense = 0x05_1a_00;
export const INVALID_OPCODE: Sense = 0x05_20_00;
export const LBA_OUT_OF_RANGE: Sense = 0x05_21_00;
export const INVALID_FIELD: Sense = 0x05_24_00;
export const LUN_NOT_SUPPORTED: Sense = 0x05_25_00;
export const INVALID_PARAMETER: Sense = 0x05_26_00;
export const SAVING_NOT_SUPPORTED: Sense = 0x05_39_00;
export const POWER_ON_OR_RESET: Sense = 0x06_29_00;
export const CAPACITY_CHANGED: Sense = 0x06_2a_09;
export const REPORTED_LUNS_CHANGED: Sense = 0x06_3f_0e;
export const WRITE_PROTECTED: Sense = 0x07_27_00;
export const REMOVAL_PREVENTED: Sense = 0x05_53_02;
export const IO_ERROR: Sense = 0x0b_00_06;

const UNIT_ATTENTION = 6;
const FIXED_BYTES = 18;
const DESCRIPTOR_BYTES = 8;

export function isUnitAttention(sense: Sense): boolean {
  return sense >>> 16 === UNIT_ATTENTION;
}

/** Additional sense code and qualifier as an event's reason carries them: the code in the low byte. */
export function reasonOf(sense: Sense): number {
  return ((sense >>> 8) & 0xff) | ((sense & 0xff) << 8);
}

/** Writes fixed or descriptor format, at most `room` bytes of it, and returns how many. */
export function putSense(into: Uint8Array, sense: Sense, room: number, fixed: boolean): number {
  const whole = new Uint8Array(FIXED_BYTES);
  const [key, code, qualifier] = [sense >>> 16, (sense >>> 8) & 0xff, sense & 0xff];
  if (fixed) {
    whole[0] = 0x70;
    whole[2] = key;
    whole[7] = 10;
    whole[12] = code;
    whole[13] = qualifier;
  } else {
    whole[0] = 0x72;
    whole[1] = key;
    whole[2] = code;
    whole[3] = qualifier;
  }
  const length = Math.min(fixed ? FIXED_BYTES : DESCRIPTOR_BYTES, room);
  into.set(whole.subarray(0, length));
  return length;
}

/** Which of two unit attentions is told: the smaller number wins (scsi_ua_precedence). */
function precedence(sense: Sense): number {
  if (!isUnitAttention(sense)) return Number.MAX_SAFE_INTEGER;
  const code = sense & 0xffff;
  if (code === 0x2904) return 1;
  if (code === 0x3f01) return 2;
  if (code === 0x2905 || code === 0x2906) return code;
  if (code >>> 8 === 0x29 && (code & 0xff) <= 7) return code & 0xff;
  return code === 0x2f01 ? 8 : code;
}

/** The unit attention that is pending once `raised` has come to `pending`. */
export function moreImportant(pending: Sense, raised: Sense): Sense {
  return precedence(raised) < precedence(pending) ? raised : pending;
}
