import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { parseGlobal, parseMachine, parseOptions, type GlobalOption } from './options.ts';
import { realizeDevice, type RealizedDevice, type RealizeRequest } from './realize.ts';
import { MACHINE_TYPES, machineType, type MachineType } from './types.ts';
import type { Verdict } from './config.ts';

function realize(
  device: string,
  changes: Partial<RealizeRequest> & { readonly version?: string } = {},
): Verdict<RealizedDevice> {
  const { version = '7.2', ...rest } = changes;
  return realizeDevice(device, {
    machine: machineType(`pseries-${version}`) as MachineType,
    cpus: 1,
    globals: [],
    backends: () => true,
    slot: 'conventional',
    taken: new Map(),
    ...rest,
  });
}

function reason(verdict: Verdict<unknown>): string {
  return verdict.accepted ? 'accepted' : verdict.reason;
}

function mode(verdict: Verdict<RealizedDevice>): string {
  if (!verdict.accepted) return verdict.reason;
  const { legacy, modern } = verdict.value.settings;
  return legacy ? (modern ? 'transitional' : 'legacy') : 'modern';
}

const IOMMU_TEXT = 'VIRTIO_F_IOMMU_PLATFORM was supported by neither legacy nor transitional device';
const NEITHER_TEXT = 'device cannot work as neither modern nor legacy mode is enabled';

test('auto means transitional on a host bridge, and modern behind an Express port', (t) => {
  t.is(mode(realize('virtio-rng-pci')), 'transitional');
  t.is(mode(realize('virtio-rng-pci', { slot: 'express-root' })), 'transitional');
  const behind = realize('virtio-rng-pci', { slot: 'express-port' });
  t.is(mode(behind), 'modern');
  t.true(behind.accepted && behind.value.settings.express !== undefined);
  t.is(mode(realize('virtio-rng-pci,disable-legacy=off', { slot: 'express-port' })), 'transitional');
  const old = realize('virtio-rng-pci', { slot: 'express-port', version: '2.4' });
  t.true(old.accepted && old.value.settings.express === undefined);
});

test('pseries-2.6 and older are legacy, except for the types that name their mode', (t) => {
  t.is(mode(realize('virtio-rng-pci', { version: '2.6' })), 'legacy');
  t.is(mode(realize('virtio-rng-pci-transitional', { version: '2.6' })), 'transitional');
  t.is(mode(realize('virtio-rng-pci-non-transitional', { version: '2.6' })), 'modern');
  t.is(mode(realize('virtio-rng-pci', { version: '2.7' })), 'transitional');
  t.is(reason(realize('virtio-rng-pci,disable-legacy=on', { version: '2.6' })), NEITHER_TEXT);
});

test('iommu_platform needs a modern-only device', (t) => {
  t.is(reason(realize('virtio-blk-pci,drive=d,iommu_platform=on')), IOMMU_TEXT);
  t.is(reason(realize('virtio-blk-pci-transitional,drive=d,iommu_platform=on')), IOMMU_TEXT);
  t.is(mode(realize('virtio-blk-pci,drive=d,disable-legacy=on,iommu_platform=on')), 'modern');
  t.is(mode(realize('virtio-gpu-pci,iommu_platform=on')), 'modern');
});

test('neither mode is refused with a hint, before anything else is looked at', (t) => {
  const verdict = realize('virtio-blk-pci,disable-legacy=on,disable-modern=on');
  t.deepEqual(verdict, {
    accepted: false,
    reason: NEITHER_TEXT,
    hint: 'Set either disable-modern or disable-legacy to off',
  });
});

test('bad properties are refused in the words of QEMU', (t) => {
  const refusals: readonly (readonly [string, string])[] = [
    ['virtio-mem-pci', "'virtio-mem-pci' is not a valid device model name"],
    ['virtio-blk-pci,drive=d,nope=1', "Property 'virtio-blk-pci.nope' not found"],
    [
      'virtio-blk-pci-transitional,disable-modern=on',
      "Property 'virtio-blk-pci-transitional.disable-modern' not found",
    ],
    ['virtio-rng-pci,iommu_platform=maybe', "Parameter 'iommu_platform' expects 'on' or 'off'"],
    ['virtio-rng-pci,disable-legacy=maybe', "Parameter 'disable-legacy' does not accept value 'maybe'"],
    ['virtio-rng-pci,vectors=many', "Parameter 'vectors' expects integer"],
    ['virtio-blk-pci,drive=d,queue-size=70000', "Parameter 'queue-size' expects uint16_t"],
    ['virtio-rng-pci,addr=20', "Property 'virtio-rng-pci.addr' doesn't take value '20'"],
    ['virtio-blk-pci', 'drive property not set'],
    [
      'virtio-blk-pci,drive=d,queue-size=2048',
      'invalid queue-size property (2048), must be a power of 2 (max 1024)',
    ],
    [
      'virtio-blk-pci,drive=d,scsi=on',
      'Please set scsi=off for virtio-blk devices in order to use virtio 1.0',
    ],
    [
      'virtio-net-pci,rx_queue_size=2048',
      'Invalid rx_queue_size (= 2048), must be a power of 2 between 256 and 1024.',
    ],
    ['virtio-crypto-pci', "'cryptodev' parameter expects a valid object"],
    ['virtio-rng-pci,bus=pci.9', "Bus 'pci.9' not found"],
  ];
  for (const [device, text] of refusals) t.is(reason(realize(device)), text);
  const missing = { backends: (): boolean => false };
  t.is(
    reason(realize('virtio-blk-pci,drive=x', missing)),
    "Property 'virtio-blk-device.drive' can't find value 'x'",
  );
  t.is(reason(realize('virtio-rng-pci,rng=x', missing)), "Device 'x' not found");
});

test('too many vectors leave MSI-X out with a warning', (t) => {
  const verdict = realize('virtio-rng-pci,vectors=2049');
  t.deepEqual(verdict.accepted && verdict.warnings, ['unable to init msix vectors to 2049']);
  t.is(verdict.accepted && verdict.value.settings.vectors, 0);
  const most = realize('virtio-rng-pci,vectors=2048');
  t.is(most.accepted && most.value.settings.vectors, 2048);
});

test('globals come after the machine and before the device, and err by name', (t) => {
  const globals = (...texts: string[]): { globals: GlobalOption[] } => ({
    globals: texts.map((text) => parseGlobal(text) as GlobalOption),
  });
  t.is(mode(realize('virtio-blk-pci,drive=d', globals('virtio-pci.disable-legacy=on'))), 'modern');
  t.is(
    mode(realize('virtio-blk-pci,drive=d,disable-legacy=off', globals('virtio-pci.disable-legacy=on'))),
    'transitional',
  );
  t.is(reason(realize('virtio-blk-pci,drive=d', globals('virtio-device.iommu_platform=on'))), IOMMU_TEXT);
  const both = globals('virtio-pci.disable-legacy=on', 'virtio-device.iommu_platform=on');
  const confidential = realize('virtio-blk-pci,drive=d', both);
  t.true(confidential.accepted && confidential.value.iommuPlatform);
  t.is(
    reason(realize('virtio-rng-pci', globals('virtio-pci.nope=1'))),
    "can't apply global virtio-pci.nope=1: Property 'virtio-rng-pci.nope' not found",
  );
});

test('slots: the one asked for, or the first that is free', (t) => {
  const taken = new Map([
    [0, 'virtio-rng-pci'],
    [8, 'virtio-blk-pci'],
  ]);
  const free = realize('virtio-rng-pci', { taken });
  t.is(free.accepted && free.value.settings.devfn, 16);
  t.is(
    reason(realize('virtio-rng-pci,addr=1', { taken })),
    'PCI: slot 1 function 0 not available for virtio-rng-pci, in use by virtio-blk-pci',
  );
});

test('machine options resolve over the type', (t) => {
  const machine = parseMachine('pseries-4.2,ic-mode=xics,cap-cfpc=broken');
  t.true(machine.accepted);
  if (!machine.accepted) return;
  t.is(machine.value.interruptControllers, 'xics');
  t.is(machine.value.capabilities.cfpc, 'broken');
  t.deepEqual(machine.warnings, [
    "TCG doesn't support requested feature, cap-sbbc=workaround",
    "TCG doesn't support requested feature, cap-ibs=workaround",
  ]);
  t.is(reason(parseMachine('pseries-9.9')), 'unsupported machine type');
  t.is(reason(parseMachine('pseries,nope=1')), "Property 'pseries-7.2-machine.nope' not found");
  t.is(reason(parseMachine('pseries-2.11')), 'No Transactional Memory support in TCG');
  t.true(parseMachine('pseries-2.11,cap-htm=off').accepted);
  t.true(parseMachine('pseries-2.6').accepted);
});

test('two commas are one, and a bare option is on', (t) => {
  t.deepEqual(parseOptions('driver,a=1,,2,b,nofoo'), {
    head: 'driver',
    options: [
      ['a', '1,2'],
      ['b', 'on'],
      ['foo', 'off'],
    ],
  });
});

test('each machine only adds to the compat values of the next newer one', (t) => {
  const versions = MACHINE_TYPES.filter((type) => !type.version.includes('sxxm'));
  t.is(versions.length, 26);
  for (const [index, type] of versions.entries()) {
    const newer = versions[index - 1];
    if (newer !== undefined) t.deepEqual(type.compat.slice(0, newer.compat.length), newer.compat);
  }
  t.is(versions[0]?.compat.length, 0);
});

const OPTIONS = [
  'disable-legacy',
  'disable-modern',
  'iommu_platform',
  'packed',
  'page-per-vq',
  'vectors',
  'nope',
];

prop(
  'every device string ends in a device or in one line of text',
  [
    fc.constantFrom(...MACHINE_TYPES),
    fc.constantFrom(
      'virtio-rng-pci',
      'virtio-blk-pci,drive=d',
      'virtio-gpu-pci',
      'virtio-net-pci-transitional',
      'x',
    ),
    fc.array(fc.tuple(fc.constantFrom(...OPTIONS), fc.constantFrom('on', 'off', 'auto', '0', '3', '')), {
      maxLength: 4,
    }),
    fc.constantFrom('conventional', 'express-root', 'express-port'),
  ],
  (machine, head, options, slot) => {
    const device = [head, ...options.map(([name, value]) => `${name}=${value}`)].join(',');
    const verdict = realize(device, { machine, slot });
    if (!verdict.accepted) return verdict.reason !== '' && !verdict.reason.includes('\n');
    const { legacy, modern } = verdict.value.settings;
    return (legacy || modern) && !(legacy && verdict.value.iommuPlatform);
  },
);
