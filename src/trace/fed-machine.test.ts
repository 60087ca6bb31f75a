import test from 'ava';
import type { MachineConfig } from '../emu/machine/config.ts';
import { Machine } from '../emu/machine/machine.ts';
import { fedMachine } from './fed-machine.ts';
import { makeHeader } from './format.ts';
import { MemorySource, RecordingReader } from './reader.ts';
import { MemorySink, Recorder } from './recorder.ts';
import { replayInputs } from './replayer.ts';

const CONFIG: MachineConfig = {
  machine: 'pseries-7.2',
  ramBytes: 64 << 20,
  cpus: 1,
  seed: 'fed',
  devices: ['virtio-rng-pci,rng=r0,addr=1,disable-legacy=on,iommu_platform=on'],
  globals: [],
  backends: [{ kind: 'entropy', id: 'r0' }],
};

const KVMPPC_H_RTAS = 0xf000n;
const H_PUT_TCE = 0x20n;
const IBM_READ_PCI_CONFIG = 0x2016;
const RTAS_BUFFER = 0x8000;

/** Asks for the device's identity and maps a page, as a guest does: the arguments lie in RAM, which is not recorded. */
function act(machine: Machine): bigint {
  const { platform } = machine;
  platform.setCpu(0, 1n << 63n);
  const words = [IBM_READ_PCI_CONFIG, 4, 2, 1 << 11, 0x0800_0000, 0x2000_0000, 4];
  for (const [index, word] of words.entries()) platform.store32(RTAS_BUFFER + 4 * index, word, false);
  platform.registers.fill(0n);
  platform.registers.set([KVMPPC_H_RTAS, BigInt(RTAS_BUFFER)]);
  platform.hcall();
  const identity = BigInt(platform.load32(RTAS_BUFFER + 4 * 8, false));
  platform.registers.set([H_PUT_TCE, 0x8000_0000n, 0x4000n, 0x12003n]);
  platform.hcall();
  platform.idle();
  return identity;
}

test('the machine of a header does for the recorded inputs what the recorded one did', (t) => {
  const made = Machine.create(CONFIG);
  if (!made.accepted) {
    t.fail(made.reason);
    return;
  }
  const sink = new MemorySink();
  const recorder = new Recorder(makeHeader(CONFIG, undefined), sink);
  made.value.setTap(recorder);
  t.is(act(made.value), 0x1044_1af4n, 'a modern entropy device');
  recorder.finish(made.value.digest());
  const reader = new RecordingReader(new MemorySource(sink.bytes));
  const outcome = replayInputs(reader, fedMachine);
  t.is(outcome.divergence, undefined);
  t.true(outcome.events >= 8);
});

test('a machine that QEMU would not build is refused with its reason', (t) => {
  const header = makeHeader(
    { ...CONFIG, devices: ['virtio-rng-pci,rng=r0,disable-legacy=off,iommu_platform=on'] },
    undefined,
  );
  t.throws(() => fedMachine(header), {
    name: 'RecordingError',
    message: /^its machine cannot be built: .*legacy/,
  });
});
