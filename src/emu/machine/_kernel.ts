const KERNEL_BYTES = 0x1000;
const LINKED_AT = 0xc000_0000_0000_0000n;

/** An ELF file of one segment, big-endian, as a kernel of these instructions would be. */
export function kernelOf(words: readonly number[]): Uint8Array {
  const file = new Uint8Array(0x1000 + KERNEL_BYTES);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 2, 1]);
  view.setUint16(16, 2);
  view.setUint16(18, 21);
  view.setBigUint64(24, LINKED_AT);
  view.setBigUint64(32, 64n);
  view.setUint16(54, 56);
  view.setUint16(56, 1);
  view.setUint32(64, 1);
  view.setBigUint64(72, 0x1000n);
  view.setBigUint64(80, LINKED_AT);
  view.setBigUint64(88, 0n);
  view.setBigUint64(96, BigInt(KERNEL_BYTES));
  view.setBigUint64(104, BigInt(2 * KERNEL_BYTES));
  for (const [index, word] of words.entries()) view.setUint32(0x1000 + 4 * index, word);
  return file;
}

const RTAS_ARGUMENTS_AT = 0x40_0800;

/**
 * Says OK at the console by H_PUT_TERM_CHAR, counts to a thousand, finds /chosen by the client interface in r5, and
 * powers off by RTAS. Entered in 32-bit mode, as firmware does.
 */
export const OK_KERNEL: Uint8Array = (() => {
  const kernel = kernelOf([
    0x7ca8_03a6, // mtlr r5
    0x7ca7_2b78, // mr r7,r5
    0x3860_0058, // li r3,0x58
    0x3c80_7100, // lis r4,0x7100: the vty behind the nvram
    0x6084_0001, // ori r4,r4,1
    0x38a0_0003, // li r5,3
    0x3cc0_4f4b, // lis r6,'OK'
    0x60c6_0a00, // ori r6,r6,'\n'
    0x78c6_07c6, // sldi r6,r6,32
    0x38e0_0000, // li r7,0
    0x4400_0022, // sc 1
    0x3900_03e8, // li r8,1000
    0x7d09_03a6, // mtctr r8
    0x3929_0001, // addi r9,r9,1
    0x4200_fffc, // bdnz .-4
    0x3c60_0040, // lis r3,0x40
    0x6063_0900, // ori r3,r3,0x900: finddevice
    0x7d48_02a6, // mflr r10
    0x7d48_03a6, // mtlr r10
    0x4e80_0021, // blrl: the client interface
    0x3c60_0000, // li r3,0xf000
    0x6063_f000,
    0x3c80_0040, // lis r4,0x40
    0x6084_0800, // ori r4,r4,0x800: power-off
    0x4400_0022, // sc 1
    0x4800_0000, // b .
  ]);
  const view = new DataView(kernel.buffer);
  const rtas = 0x1000 + (RTAS_ARGUMENTS_AT - 0x40_0000);
  // Token, counts, two arguments.
  for (const [index, word] of [0x2003, 2, 1, 0xffff_ffff, 0xffff_ffff].entries()) {
    view.setUint32(rtas + 4 * index, word);
  }
  for (const [index, word] of [0x40_0940, 1, 1, 0x40_0950].entries())
    view.setUint32(0x1900 + 4 * index, word);
  kernel.set(new TextEncoder().encode('finddevice\0'), 0x1940);
  kernel.set(new TextEncoder().encode('/chosen\0'), 0x1950);
  return kernel;
})();
