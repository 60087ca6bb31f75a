import test from 'ava';
import type { BackendConfig } from './config.ts';
import { Machine } from './machine.ts';
import { MONITOR_PORT } from './monitor.ts';

const BACKENDS: readonly BackendConfig[] = [
  { kind: 'chardev', id: 'c0', open: true },
  { kind: 'chardev', id: 'c1', open: false },
  { kind: 'memory', id: 'm', pageBytes: 65536 },
];

function create(...devices: readonly string[]): Machine | string {
  const verdict = Machine.create({
    machine: 'pseries-7.2',
    ramBytes: 0x1000_0000,
    cpus: 1,
    seed: 'ports',
    devices,
    globals: [],
    backends: BACKENDS,
  });
  return verdict.accepted ? verdict.value : verdict.reason.replace(/^-device \S+: /, '');
}

const BUS = 'virtio-serial-pci,id=ser';

test('ports are refused in the words of QEMU', (t) => {
  const refusals: readonly (readonly [readonly string[], string])[] = [
    [['virtserialport'], "No 'virtio-serial-bus' bus found for device 'virtserialport'"],
    [[BUS, 'virtserialport,bus=ser.1'], "Bus 'ser.1' not found"],
    [[BUS, 'virtserialport,bus=pci.0'], "Device 'virtserialport' can't go on PCI bus"],
    [[BUS, 'virtio-rng-pci,bus=ser.0'], "Device 'virtio-rng-pci' can't go on virtio-serial-bus bus"],
    [[BUS, 'virtserialport,bogus=1'], "Property 'virtserialport.bogus' not found"],
    [[BUS, 'virtconsole,nr=x'], "Parameter 'nr' expects integer"],
    [[BUS, 'virtconsole,chardev=c9'], "Property 'virtconsole.chardev' can't find value 'c9'"],
    [
      [BUS, 'virtconsole,chardev=c0', 'virtserialport,chardev=c0'],
      "Property 'virtserialport.chardev' can't take value 'c0': Device 'c0' is in use",
    ],
    [[BUS, 'virtserialport,nr=1', 'virtserialport,nr=1'], 'virtio-serial-bus: A port already exists at id 1'],
    [
      [BUS, 'virtserialport,name=n', 'virtio-serial-pci', 'virtserialport,name=n'],
      'virtio-serial-bus: A port already exists by name n',
    ],
    [
      [`${BUS},max_ports=2`, 'virtserialport,nr=2'],
      'virtio-serial-bus: Out-of-range port id specified, max. allowed: 1',
    ],
    [
      [`${BUS},max_ports=1`, 'virtserialport'],
      'virtio-serial-bus: Out-of-range port id specified, max. allowed: 0',
    ],
    [
      [BUS, 'virtserialport,nr=0'],
      'Port number 0 on virtio-serial devices reserved for virtconsole devices for backward compatibility.',
    ],
    [[BUS, 'virtserialport,id=p', 'virtserialport,id=p'], "Duplicate ID 'p' for device"],
  ];
  for (const [devices, reason] of refusals) t.is(create(...devices), reason);
});

test('32 ports of a bus of 32: the map of ports is full', (t) => {
  const ports = Array.from({ length: 31 }, () => 'virtserialport');
  t.is(
    create(`${BUS},max_ports=32`, ...ports, 'virtserialport'),
    'virtio-serial-bus: Maximum port limit for this device reached',
  );
});

/** Says a QMP command and returns the lines that came back. */
function say(machine: Machine, execute: string, args: Readonly<Record<string, unknown>> = {}): unknown[] {
  return tellRaw(machine, JSON.stringify({ execute, arguments: args }));
}

function tellRaw(machine: Machine, text: string): unknown[] {
  let heard = '';
  machine.setTap({
    wantsGuestWrites: false,
    take: (event) => {
      if (event.words[0] !== MONITOR_PORT) return;
      const bytes = event.bytes.subarray(event.byteOffset, event.byteOffset + event.byteLength);
      const line = Buffer.from(bytes).toString();
      if (line.endsWith('\r\n')) heard += line;
    },
  });
  machine.hostInput(MONITOR_PORT, Buffer.from(text));
  machine.setTap(undefined);
  return heard
    .split('\r\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));
}

const failure = (desc: string, kind = 'GenericError'): unknown => ({ error: { class: kind, desc } });

test('ports come and go while the machine runs, and a snapshot remembers them', (t) => {
  const machine = create(BUS, 'virtconsole,id=con') as Machine;
  const start = machine.snapshot();
  const before = machine.digest();
  const driver = 'virtserialport';
  t.deepEqual(say(machine, 'device_add', { driver, id: 'p', chardev: 'c1', name: 'a,b' }), [{ return: {} }]);
  t.deepEqual(say(machine, 'device_add', { driver, id: 'p' }), [failure("Duplicate device ID 'p'")]);
  t.deepEqual(say(machine, 'device_add', { driver, name: 'a,b' }), [
    failure('virtio-serial-bus: A port already exists by name a,b'),
  ]);
  const plugged = machine.snapshot();
  const after = machine.digest();
  t.not(after, before);
  machine.restore(start);
  t.is(machine.digest(), before);
  machine.restore(plugged);
  t.is(machine.digest(), after);
  const [deleted, done] = say(machine, 'device_del', { id: 'p' }) as [
    { event: string; data: object },
    unknown,
  ];
  t.is(deleted.event, 'DEVICE_DELETED');
  t.deepEqual(deleted.data, { device: 'p', path: '/machine/peripheral/p' });
  t.deepEqual(done, { return: {} });
  t.is(machine.digest(), before);
  t.deepEqual(say(machine, 'device_del', { id: 'p' }), [failure("Device 'p' not found", 'DeviceNotFound')]);
});

test('the monitor refuses what it cannot take', (t) => {
  const machine = create(BUS) as Machine;
  t.deepEqual(tellRaw(machine, '[]'), [failure('QMP input must be a JSON object')]);
  t.deepEqual(tellRaw(machine, '{'), [failure('QMP input must be a JSON object')]);
  t.deepEqual(tellRaw(machine, '{}'), [failure("QMP input lacks member 'execute'")]);
  t.deepEqual(say(machine, 'quit'), [failure('The command quit has not been found', 'CommandNotFound')]);
  t.deepEqual(say(machine, 'balloon'), [failure("Parameter 'value' is missing")]);
  t.deepEqual(say(machine, 'balloon', { value: 'x' }), [
    failure("Invalid parameter type for 'value', expected: integer"),
  ]);
  t.deepEqual(say(machine, 'balloon', { value: 1, more: 1 }), [failure("Parameter 'more' is unexpected")]);
  t.deepEqual(say(machine, 'balloon', { value: 1 }), [
    failure('No balloon device has been activated', 'DeviceNotActive'),
  ]);
  t.deepEqual(say(machine, 'x-chardev', { id: 'none', connected: true }), [
    failure("Chardev 'none' not found", 'DeviceNotFound'),
  ]);
});

test('a balloon is asked of by QMP, and there is only one', (t) => {
  t.is(create('virtio-balloon-pci', 'virtio-balloon-pci'), 'Only one balloon device is supported');
  t.is(create('virtio-balloon-pci,free-page-hint=on'), "'free-page-hint' requires 'iothread' to be set");
  const wrong = ['-1', '4294967296', 'x'].map((value) =>
    create(`virtio-balloon-pci,guest-stats-polling-interval=${value}`),
  );
  t.deepEqual(wrong, [
    'timer value must be greater than zero',
    'timer value is too big',
    "Parameter 'guest-stats-polling-interval' expects integer",
  ]);
  const machine = create('virtio-balloon-pci,id=b') as Machine;
  t.deepEqual(say(machine, 'balloon', { value: 0 }), [failure("Parameter 'target' expects a size")]);
  t.deepEqual(say(machine, 'balloon', { value: 0x0800_0000 }), [{ return: {} }]);
  t.deepEqual(say(machine, 'query-balloon'), [{ return: { actual: 0x1000_0000 } }]);
  const interval = { path: 'b', property: 'guest-stats-polling-interval' };
  t.deepEqual(say(machine, 'qom-set', { ...interval, value: -1 }), [
    failure('timer value must be greater than zero'),
  ]);
  t.deepEqual(say(machine, 'qom-set', { ...interval, value: 3 }), [{ return: {} }]);
  t.deepEqual(say(machine, 'qom-get', interval), [{ return: 3 }]);
  const [answer] = say(machine, 'qom-get', {
    path: '/machine/peripheral/b',
    property: 'guest-stats',
  }) as [{ return: { 'last-update': number; stats: Record<string, number> } }];
  t.is(answer.return['last-update'], 0);
  t.is(Object.keys(answer.return.stats).length, 10);
  t.is(answer.return.stats['stat-free-memory'], 2 ** 64);
});
