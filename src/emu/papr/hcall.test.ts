import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { TestPlatform } from './_platform.ts';

const H_SUCCESS = 0;
const H_FUNCTION = -2;
const H_PRIVILEGE = -3;
const H_PARAMETER = -4;
const MSR_PR = 0x4000n;

/** Numbers as spapr.h has them, and what each answers to arguments of all zeros on a fresh pseries-7.2. */
const ANSWERS: readonly (readonly [number: number, name: string, status: number])[] = [
  [0x00, 'nothing', H_FUNCTION],
  [0x04, 'H_REMOVE', H_FUNCTION],
  [0x1c, 'H_GET_TCE', H_PARAMETER],
  [0x20, 'H_PUT_TCE', H_PARAMETER],
  [0x24, 'H_SET_SPRG0', H_SUCCESS],
  [0x28, 'H_SET_DABR', -1],
  [0x2c, 'H_PAGE_INIT', H_SUCCESS],
  [0x3c, 'H_LOGICAL_CI_LOAD', H_PARAMETER],
  [0x40, 'H_LOGICAL_CI_STORE', H_PARAMETER],
  [0x44, 'H_LOGICAL_CACHE_LOAD', H_PARAMETER],
  [0x48, 'H_LOGICAL_CACHE_STORE', H_PARAMETER],
  [0x4c, 'H_LOGICAL_ICBI', H_SUCCESS],
  [0x50, 'H_LOGICAL_DCBF', H_SUCCESS],
  [0x54, 'H_GET_TERM_CHAR', H_SUCCESS],
  [0x58, 'H_PUT_TERM_CHAR', H_SUCCESS],
  [0x64, 'H_EOI', H_SUCCESS],
  [0x68, 'H_CPPR', H_SUCCESS],
  [0x6c, 'H_IPI', H_SUCCESS],
  [0x70, 'H_IPOLL', H_SUCCESS],
  [0x74, 'H_XIRR', H_SUCCESS],
  [0xdc, 'H_REGISTER_VPA', H_PARAMETER],
  [0xe0, 'H_CEDE', H_SUCCESS],
  [0xe4, 'H_CONFER', H_SUCCESS],
  [0xe8, 'H_PROD', H_SUCCESS],
  [0xfc, 'H_REG_CRQ', H_PARAMETER],
  [0x100, 'H_FREE_CRQ', H_PARAMETER],
  [0x104, 'H_VIO_SIGNAL', H_PARAMETER],
  [0x108, 'H_SEND_CRQ', H_PARAMETER],
  [0x114, 'H_REGISTER_LOGICAL_LAN', H_PARAMETER],
  [0x130, 'H_MULTICAST_CTRL', H_PARAMETER],
  [0x134, 'H_SET_XDABR', -1],
  [0x138, 'H_STUFF_TCE', H_PARAMETER],
  [0x13c, 'H_PUT_TCE_INDIRECT', H_PARAMETER],
  [0x140, 'nothing', H_FUNCTION],
  [0x1c8, 'H_GET_CPU_CHARACTERISTICS', H_SUCCESS],
  [0x298, 'H_JOIN', 18],
  [0x2b0, 'H_ENABLE_CRQ', H_PARAMETER],
  [0x2ec, 'H_HOME_NODE_ASSOCIATIVITY', H_FUNCTION],
  [0x2fc, 'H_XIRR_X', H_SUCCESS],
  [0x300, 'H_RANDOM', H_FUNCTION],
  [0x31c, 'H_SET_MODE', -55],
  [0x328, 'H_BLOCK_REMOVE', H_FUNCTION],
  [0x36c, 'H_RESIZE_HPT_PREPARE', 3],
  [0x370, 'H_RESIZE_HPT_COMMIT', 3],
  [0x374, 'H_CLEAN_SLB', H_FUNCTION],
  [0x378, 'H_INVALIDATE_PID', H_FUNCTION],
  [0x37c, 'H_REGISTER_PROC_TBL', H_PARAMETER],
  [0x380, 'H_SIGNAL_SYS_RESET', H_SUCCESS],
  [0x3a8, 'H_INT_GET_SOURCE_INFO', H_FUNCTION],
  [0x3d0, 'H_INT_RESET', H_FUNCTION],
  [0x3fc, 'H_SCM_UNBIND_ALL', H_PARAMETER],
  [0x448, 'H_RPT_INVALIDATE', H_FUNCTION],
  [0x45c, 'H_WATCHDOG', H_PARAMETER],
  [0x460, 'nothing', H_FUNCTION],
  [0xeefc, 'nothing', H_FUNCTION],
  [0xef00, 'H_SVM_PAGE_IN', H_FUNCTION],
  [0xef10, 'SVM_H_TPM_COMM', H_FUNCTION],
  [0xef14, 'nothing', H_FUNCTION],
  [0xf000, 'KVMPPC_H_RTAS', H_PARAMETER],
  [0xf001, 'KVMPPC_H_LOGICAL_MEMOP', H_SUCCESS],
  [0xf003, 'KVMPPC_H_UPDATE_DT', H_PARAMETER],
  [0xf004, 'nothing', H_FUNCTION],
  [0xf005, 'KVMPPC_H_VOF_CLIENT', H_FUNCTION],
  [0xf800, 'H_SET_PARTITION_TABLE', H_FUNCTION],
  [0xf808, 'H_TLB_INVALIDATE', H_SUCCESS],
  [0xf80c, 'H_COPY_TOFROM_GUEST', H_FUNCTION],
  [0xf80d, 'nothing', H_FUNCTION],
];

for (const [number, name, status] of ANSWERS) {
  test(`${name} (0x${number.toString(16)}) of zeros answers ${status}`, (t) => {
    t.is(new TestPlatform().hcall(number), status);
  });
}

const word = fc.bigInt(0n, (1n << 64n) - 1n);

prop(
  'a problem-state call answers H_PRIVILEGE and touches nothing else',
  [fc.integer({ min: 0, max: 0xf80c }), fc.array(word, { minLength: 9, maxLength: 9 })],
  (token, args) => {
    const platform = new TestPlatform();
    platform.msr |= MSR_PR;
    const before = platform.digest();
    if (platform.hcall(token, ...args) !== H_PRIVILEGE) return false;
    platform.papr.setCpu(0, platform.msr & ~MSR_PR);
    return args.every((value, i) => platform.output(i) === value) && platform.digest() === before;
  },
  { numRuns: 50 },
);

prop(
  'numbers that are misaligned, wide or out of range answer H_FUNCTION and touch nothing else',
  [
    fc.oneof(
      fc.integer({ min: 0, max: 0x45c }).filter((token) => token % 4 !== 0),
      fc.integer({ min: 0x45d, max: 0xeeff }),
      fc.integer({ min: 0xef00, max: 0xefff }).filter((token) => token % 4 !== 0),
      fc.integer({ min: 0xf80d, max: 0xffff_ffff }),
      word.map((value) => value | (1n << 32n)),
    ),
    fc.array(word, { minLength: 9, maxLength: 9 }),
  ],
  (token, args) => {
    const platform = new TestPlatform();
    return (
      platform.hcall(token, ...args) === H_FUNCTION && args.every((value, i) => platform.output(i) === value)
    );
  },
);

/** Addresses, counts and flags that mean something, among others that do not. */
const argument = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 0x20 }).map(BigInt) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 0x100_1000 }).map(BigInt) },
  fc.constantFrom(0x8000_0000n, 0x8000_0001n, 0x7100_0000n, 0x7100_0001n, 1n << 59n, (1n << 64n) - 1n),
  fc.constantFrom(0x2000_8000_0000n, 0x2100_0000_0000n, 0x200_0000_0000_0000n),
  word,
);
const token = fc.oneof(
  fc.constantFrom(...ANSWERS.map(([number]) => number)),
  fc.integer({ min: 0, max: 0x117 }).map((n) => 4 * n),
);
const calls = fc.array(fc.tuple(token, fc.array(argument, { maxLength: 9 })), { maxLength: 12 });

prop(
  'no hypercall of any arguments throws, and a restored platform does the same again',
  [calls, calls],
  (first, second) => {
    const platform = new TestPlatform({ cpus: 2, maxCpus: 2 });
    const run = (steps: typeof first): string => {
      const answers = steps.map(
        ([number, args]) => `${platform.hcall(number, ...args)} ${platform.registers.join(' ')}`,
      );
      return `${answers.join('\n')}\n${platform.digest()}`;
    };
    run(first);
    const before = platform.digest();
    const saved = platform.save();
    if (platform.digest() !== before) return false;
    const once = run(second);
    platform.restore(saved);
    if (platform.digest() !== before) return false;
    return run(second) === once;
  },
);
