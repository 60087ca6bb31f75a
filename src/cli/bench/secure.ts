/** Figures of secure guests: ultracalls, and frames on their way out of secure memory and back. */
import { KERNEL_AT, laySecureImage, TREE_AT } from '../../emu/guest/secure-image.ts';
import { Machine } from '../../emu/machine/machine.ts';
import { millisecondsOf, type Figure } from './measure.ts';

const FRAME = 0x1_0000;
const FIRST = 0x40;
const FRAMES = 16;
const ROUNDS = 5;
const UV_ESM = 0xf110n;
const UV_SHARE_PAGE = 0xf130n;
const UV_UNSHARE_PAGE = 0xf134n;

/** A machine whose guest is secure. */
function secureMachine(cipher: 'aes-128-gcm' | 'none'): Machine {
  const made = Machine.create({
    machine: 'pseries-7.2,cap-htm=off',
    ramBytes: 0x200_0000,
    cpus: 1,
    seed: 'bench',
    devices: [],
    globals: [],
    backends: [],
    host: `ultravisor,veto=off,cipher=${cipher}`,
  });
  if (!made.accepted) throw new Error(made.reason);
  const { platform } = made.value;
  platform.setCpu(0, 1n << 63n);
  laySecureImage(platform);
  call(made.value, UV_ESM, BigInt(KERNEL_AT), BigInt(TREE_AT));
  if (!(made.value.secureSide?.secure ?? false)) throw new Error('the guest of the benchmark is not secure');
  return made.value;
}

function call(machine: Machine, number: bigint, r4: bigint, r5: bigint): void {
  const { registers } = machine.platform;
  registers[0] = number;
  registers[1] = r4;
  registers[2] = r5;
  machine.platform.ucall();
}

function best(quick: boolean, run: () => void): number {
  let fastest = Infinity;
  for (let round = 0; round < (quick ? 2 : ROUNDS); round++) fastest = Math.min(fastest, millisecondsOf(run));
  return fastest;
}

/** UV_UNSHARE_PAGE of a frame that is secure already: dispatch, checks, answer. */
export async function ultracalls(quick: boolean): Promise<Figure> {
  const machine = secureMachine('aes-128-gcm');
  const times = quick ? 5000 : 100_000;
  const milliseconds = best(quick, () => {
    for (let i = 0; i < times; i++) call(machine, UV_UNSHARE_PAGE, BigInt(FIRST), 1n);
  });
  const { registers } = machine.platform;
  const hypercalls = best(quick, () => {
    for (let i = 0; i < times; i++) {
      registers[0] = 0x74n;
      machine.platform.hcall();
    }
  });
  return {
    value: (times / milliseconds) * 1000,
    unit: 'ucalls/s',
    baseline: (times / hypercalls) * 1000,
    baselineName: 'hypercalls of the same guest, reflected',
  };
}

/** Two ultracalls, two hypercalls of the ultravisor, two page-ins, and two frames zeroed. */
export async function sharing(quick: boolean): Promise<Figure> {
  const machine = secureMachine('aes-128-gcm');
  const times = quick ? 200 : 5000;
  const zero = new Uint8Array(FRAME);
  const milliseconds = best(quick, () => {
    for (let i = 0; i < times; i++) {
      call(machine, UV_SHARE_PAGE, BigInt(FIRST), 1n);
      call(machine, UV_UNSHARE_PAGE, BigInt(FIRST), 1n);
    }
  });
  const plain = best(quick, () => {
    for (let i = 0; i < 2 * times; i++) zero.fill(0);
  });
  return {
    value: (times / milliseconds) * 1000,
    unit: 'frames/s',
    baseline: (times / plain) * 1000,
    baselineName: 'two frames filled with zeros',
  };
}

/** The host touches a frame, the guest touches it again: 64 KiB out, 64 KiB in. */
export async function pagesOutAndIn(quick: boolean): Promise<Figure> {
  const rate = (cipher: 'aes-128-gcm' | 'none', rounds: number): number => {
    const machine = secureMachine(cipher);
    const { platform, memory } = machine;
    let sum = 0;
    const milliseconds = best(quick, () => {
      for (let i = 0; i < rounds * FRAMES; i++) {
        const gfn = FIRST + (i % FRAMES);
        sum += memory.u8(gfn * FRAME);
        sum += platform.load8(gfn * FRAME);
      }
    });
    if (sum < 0 || platform.halted !== undefined) throw new Error('a frame did not come back');
    return (2 * rounds * FRAMES * FRAME) / 1000 / milliseconds;
  };
  return {
    value: rate('aes-128-gcm', 1),
    unit: 'MB/s',
    baseline: rate('none', quick ? 4 : 40),
    baselineName: 'the same without a cipher',
  };
}
