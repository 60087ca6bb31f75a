import test from 'ava';
import type { MachineConfig } from './config.ts';
import { Machine } from './machine.ts';
import { MONITOR_PORT } from './monitor.ts';

const HBA = 'virtio-scsi-pci,id=s,addr=1';

function configOf(devices: readonly string[], globals: readonly string[] = []): MachineConfig {
  return {
    machine: 'pseries-7.2',
    ramBytes: 0x1000_0000,
    cpus: 1,
    seed: 'scsi',
    devices,
    globals,
    backends: [{ kind: 'disk', id: 'd', sectors: 64, content: 'zero', readOnly: false }],
  };
}

function reason(devices: readonly string[], globals: readonly string[] = []): string {
  const config = configOf(devices, globals);
  const made = Machine.create(config);
  return made.accepted ? '' : made.reason.replace(/^.*: (?=[A-Z'a-z_]+)/, '');
}

test('a disk finds its bus by name, or the bus that was made last', (t) => {
  t.is(reason([HBA, 'scsi-hd,drive=d']), '');
  t.is(reason([HBA, 'scsi-hd,drive=d,bus=s.0,scsi-id=3,lun=2']), '');
  t.is(reason(['virtio-scsi-pci', 'virtio-scsi-pci', 'scsi-hd,drive=d,bus=scsi.1']), '');
  t.is(reason(['scsi-hd,drive=d']), "No 'SCSI' bus found for device 'scsi-hd'");
  t.is(reason([HBA, 'scsi-hd,drive=d,bus=x.0']), "Bus 'x.0' not found");
  t.is(reason([HBA, 'scsi-hd,drive=d,bus=pci.0']), "Device 'scsi-hd' can't go on PCI bus");
});

test('an address is free, in range and taken once', (t) => {
  const disk = (options: string): string => `scsi-hd,drive=d,${options}`;
  t.is(reason([HBA, disk('channel=1')]), 'bad scsi channel id: 1');
  t.is(reason([HBA, disk('scsi-id=256')]), 'bad scsi device id: 256');
  t.is(reason([HBA, disk('lun=16384')]), 'bad scsi device lun: 16384');
  t.is(reason([HBA, disk('id=a,scsi-id=0,lun=0'), disk('scsi-id=0,lun=0')]), "lun already used by 'a'");
  t.is(reason([HBA, disk('scsi-id=0'), disk('scsi-id=0'), disk('lun=1')]), '');
});

test('sizes and geometry must fit each other', (t) => {
  const rows: readonly (readonly [string, string])[] = [
    ['', ''],
    ['logical_block_size=4096', 'logical_block_size > physical_block_size not supported'],
    ['min_io_size=100', 'min_io_size must be a multiple of logical_block_size'],
    ['min_io_size=64M', 'min_io_size must not exceed 65535 logical blocks'],
    ['opt_io_size=100', 'opt_io_size must be a multiple of logical_block_size'],
    ['discard_granularity=700', 'discard_granularity must be a multiple of logical_block_size'],
    ['cyls=70000,heads=1,secs=1', 'cyls must be between 1 and 65535'],
    ['cyls=1,heads=256,secs=1', 'heads must be between 1 and 255'],
    ['cyls=1,heads=1', 'secs must be between 1 and 255'],
    ['logical_block_size=300', "doesn't take value 300 (minimum: 512, maximum: 2097152)"],
    ['physical_block_size=1000', "doesn't take value '1000', it's not a power of 2"],
  ];
  for (const [options, text] of rows) {
    for (const device of ['virtio-blk-pci,drive=d', 'scsi-hd,drive=d']) {
      const seen = reason([HBA, `${device}${options === '' ? '' : `,${options}`}`]);
      t.true(text === '' ? seen === '' : seen.endsWith(text), `${device},${options}: ${seen}`);
    }
  }
  t.is(reason([HBA, 'scsi-hd']), 'drive property not set');
  t.is(reason([HBA, 'scsi-hd,drive=d,frob=1']), "Property 'scsi-hd.frob' not found");
  t.true(
    reason([HBA, 'scsi-hd,drive=d'], ['scsi-hd.min_io_size=100']).endsWith('multiple of logical_block_size'),
  );
});

test('the monitor takes disks away, brings them back and resizes them', (t) => {
  const made = Machine.create(configOf([HBA, 'scsi-hd,drive=d,id=hd', 'virtio-blk-pci,drive=d']));
  if (!made.accepted) {
    t.fail(made.reason);
    return;
  }
  const machine = made.value;
  const say = (execute: string, args: Readonly<Record<string, unknown>>): string => {
    let heard = '';
    machine.setTap({
      wantsGuestWrites: false,
      take: (event) => {
        const bytes = event.bytes.subarray(event.byteOffset, event.byteOffset + event.byteLength);
        const line = Buffer.from(bytes).toString();
        if (event.words[0] === MONITOR_PORT && line.endsWith('\r\n')) heard = line;
      },
    });
    machine.hostInput(MONITOR_PORT, Buffer.from(JSON.stringify({ execute, arguments: args })));
    machine.setTap(undefined);
    const answer = JSON.parse(heard) as { error?: { desc: string } };
    return answer.error?.desc ?? '';
  };
  const start = machine.snapshot();
  const before = machine.digest();
  t.is(say('device_del', { id: 'hd' }), '');
  t.is(say('device_del', { id: 'hd' }), "Device 'hd' not found");
  t.is(say('device_add', { driver: 'scsi-hd', id: 'hd', drive: 'd' }), '');
  t.regex(say('device_add', { driver: 'scsi-hd', id: 'hd', drive: 'd' }), /only a disk that was taken away/);
  t.is(say('block_resize', { device: 'd', size: 16_384 }), '');
  t.is(machine.ends.disk('d').sectors, 32);
  t.is(say('block_resize', { device: 'x', size: 16_384 }), "Cannot find device='x' nor node-name=''");
  t.regex(say('block_resize', { device: 'd', size: 65_536 }), /that it was made with/);
  t.not(machine.digest(), before);
  machine.restore(start);
  t.is(machine.ends.disk('d').sectors, 64);
  t.is(machine.digest(), before);
});
