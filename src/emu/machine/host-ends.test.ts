import test from 'ava';
import { EventQueue } from '../core/event-queue.ts';
import { HostEnds } from './host-ends.ts';

function ends(sent: (port: number, frame: Uint8Array) => void = () => undefined): HostEnds {
  return new HostEnds(
    {
      machine: 'pseries-7.2',
      ramBytes: 0x1000_0000,
      cpus: 1,
      seed: 'ends',
      devices: [],
      globals: [],
      backends: [
        { kind: 'net', id: 'a', loopback: false },
        { kind: 'disk', id: 'd', sectors: 16, content: 'golden', readOnly: true },
        { kind: 'net', id: 'b', loopback: false },
      ],
    },
    new EventQueue(),
    { sent, report: () => undefined },
  );
}

test('network ends are numbered behind the console, in the order they were named', (t) => {
  const seen: [number, number][] = [];
  const host = ends((port, frame) => seen.push([port, frame.length]));
  host.peer('b').transmitted(new Uint8Array(60), 0);
  host.peer('a').transmitted(new Uint8Array(61), 0);
  host.peer('').transmitted(new Uint8Array(62), 0);
  t.deepEqual(seen, [
    [2, 60],
    [1, 61],
  ]);
  t.notThrows(() => {
    host.receive(1, new Uint8Array(60));
    host.receive(99, new Uint8Array(60));
  });
});

test('a golden disk: byte i of sector n is (7n + 13i) & 255', (t) => {
  const disk = ends().disk('d');
  const sector = new Uint8Array(512);
  disk.read(3 * 512, sector, 0, 512);
  t.is(sector[0], 21);
  t.is(sector[100], (21 + 1300) & 255);
  t.true(disk.readOnly);
});

test('addresses count up from 52:54:00:12:34:56, entropy has one source a name', (t) => {
  const host = ends();
  t.is(Buffer.from(host.nextMac()).toString('hex'), '525400123456');
  t.is(Buffer.from(host.nextMac()).toString('hex'), '525400123457');
  t.is(host.entropy('e'), host.entropy('e'));
  t.not(host.entropy('e'), host.entropy('f'));
});
