import type { Verdict } from './config.ts';

const HEADER_BYTES = 64;
const SEGMENT_BYTES = 56;
const EM_PPC64 = 21;
const PT_LOAD = 1;
const TWO_32 = 2 ** 32;
/** Where QEMU puts a kernel (KERNEL_LOAD_ADDR), and what of a linked address counts. */
const KERNEL_AT = 0x40_0000;
const LINKED_MASK = 0x0fff_ffff;

interface Segment {
  readonly offset: number;
  readonly address: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
}

/** A kernel that can be laid into memory. */
export interface KernelImage {
  readonly little: boolean;
  /** Where its first segment goes: the entry. */
  readonly at: number;
  /** Sum of its segments, as QEMU counts it. */
  readonly bytes: number;
  /** End of the last segment in memory. */
  readonly end: number;
  readonly segments: readonly Segment[];
  readonly file: Uint8Array;
}

function refused(reason: string): { readonly accepted: false; readonly reason: string } {
  return { accepted: false, reason };
}

/** Reads an ELF kernel for 64-bit POWER, of either byte order (QEMU's load_elf with translate_kernel_address). */
export function readKernel(file: Uint8Array): Verdict<KernelImage> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < HEADER_BYTES || view.getUint32(0) !== 0x7f45_4c46) {
    return refused(
      'it is no ELF file; a pseries kernel is the vmlinux or zImage of a ppc64 or ppc64le Linux',
    );
  }
  if (file[4] !== 2) return refused('it is a 32-bit ELF file; pseries starts 64-bit kernels');
  const little = file[5] === 1;
  const machine = view.getUint16(18, little);
  if (machine !== EM_PPC64) {
    const swapped = view.getUint16(18, !little) === EM_PPC64;
    return refused(
      swapped
        ? 'its header says one byte order and is written in the other'
        : `it is an ELF file for another machine (e_machine ${machine}); pseries wants 64-bit POWER (${EM_PPC64})`,
    );
  }
  return segmentsOf(file, view, little);
}

function segmentsOf(file: Uint8Array, view: DataView, little: boolean): Verdict<KernelImage> {
  const table = Number(view.getBigUint64(32, little));
  const count = view.getUint16(56, little);
  const segments: Segment[] = [];
  for (let i = 0; i < count; i++) {
    const at = table + i * SEGMENT_BYTES;
    if (at + SEGMENT_BYTES > file.length) return refused('its program headers are cut off');
    if (view.getUint32(at, little) !== PT_LOAD) continue;
    const wide = (field: number): number => Number(view.getBigUint64(at + field, little));
    const segment: Segment = {
      offset: wide(8),
      address: KERNEL_AT + (Number(view.getBigUint64(at + 24, little) % BigInt(TWO_32)) & LINKED_MASK),
      fileBytes: wide(32),
      memoryBytes: wide(40),
    };
    if (segment.offset + segment.fileBytes > file.length) {
      return refused(
        `it is cut off: a segment ends at ${segment.offset + segment.fileBytes} of ${file.length} bytes`,
      );
    }
    segments.push(segment);
  }
  if (segments.length === 0) return refused('it has nothing to load');
  const end = Math.max(...segments.map((segment) => segment.address + segment.memoryBytes));
  const bytes = segments.reduce((sum, segment) => sum + segment.memoryBytes, 0);
  return { accepted: true, value: { little, at: KERNEL_AT, bytes, end, segments, file }, warnings: [] };
}

/** Where QEMU puts an initial RAM disk behind a kernel. */
export function initrdPlace(kernel: KernelImage): number {
  return Math.floor((kernel.at + kernel.bytes + 0x1_ffff) / 0x1_0000) * 0x1_0000;
}
