import test from 'ava';
import { TestPlatform } from '../_platform.ts';

const HW_ERROR = 0xffff_ffff;
const PARAM_ERROR = 0xffff_fffd;
const NOT_WRITTEN = 0xdead_beef;

test('display-character: the old token too, any counts', (t) => {
  const platform = new TestPlatform();
  t.is(platform.rtas(0x2000, [0x141], 1)[0], 0);
  t.is(platform.rtas(0xa, [0x42], 0)[0], 0);
  t.is(platform.console, 'AB');
  t.is(new TestPlatform({ vio: [] }).rtas(0x2000, [0x41], 1)[0], HW_ERROR);
});

test('power-off, reboot and os-term ask the machine', (t) => {
  const platform = new TestPlatform();
  platform.rtas(0x2003, [0, 0], 1);
  platform.rtas(0x2004, [], 1);
  platform.memory.write(0x3000, new TextEncoder().encode('bad luck\0'), 0, 9);
  t.is(platform.rtas(0x201f, [0x3000], 1)[0], 0);
  t.deepEqual(platform.requests, ['power-off', 'reset', 'guest-panicked']);
  t.deepEqual(platform.diagnostics.lines, ['OS terminated: bad luck']);
});

test('CPUs: stopped ones can be started, once', (t) => {
  const platform = new TestPlatform({ cpus: 2, maxCpus: 2 });
  t.deepEqual(platform.rtas(0x2005, [0], 2), [0, 2]);
  t.deepEqual(platform.rtas(0x2005, [1], 2), [0, 0]);
  t.deepEqual(platform.rtas(0x2005, [2], 2), [PARAM_ERROR, NOT_WRITTEN]);
  t.is(platform.rtas(0x2006, [1, 0x4000, 7], 1)[0], 0);
  t.deepEqual(platform.started, [[1, 0x4000n, 7n]]);
  t.is(platform.rtas(0x2006, [1, 0x4000, 7], 1)[0], HW_ERROR);
  t.is(platform.rtas(0x2006, [0, 0x4000, 7], 1)[0], HW_ERROR);
  t.is(platform.rtas(0x2006, [9, 0x4000, 7], 1)[0], PARAM_ERROR);
  platform.cpu = 1;
  t.is(platform.rtas(0x2007, [], 1)[0], NOT_WRITTEN, 'stop-self does not return');
  platform.cpu = 0;
  t.deepEqual(platform.rtas(0x2005, [1], 2), [0, 0]);
});

test('system parameters', (t) => {
  const uuid = Uint8Array.from({ length: 16 }, (_, i) => i);
  const platform = new TestPlatform({ uuid });
  t.is(platform.rtas(0x2008, [20, 0x3000, 100], 1)[0], 0);
  const text = 'MaxEntCap=1,DesMem=16,DesProcs=1,MaxPlatProcs=1,HostThrs=4\0';
  t.is(platform.memory.u16(0x3000, false), text.length);
  t.is(new TextDecoder().decode(platform.memory.view(0x3002, text.length)), text);
  t.is(platform.rtas(0x2008, [48, 0x3000, 4], 1)[0], 0);
  t.deepEqual(
    [...platform.memory.view(0x3000, 5)],
    [0, 16, 0, 1, text.charCodeAt(2)],
    'cut, with its whole length',
  );
  t.is(platform.rtas(0x2008, [42, 0x3000, 1], 1)[0], 0xffff_d8f1);
  t.is(platform.rtas(0x2008, [43, 0x3000, 100], 1)[0], PARAM_ERROR);
  for (const [id, status] of [
    [20, 0xffff_dcd6],
    [42, 0xffff_dcd6],
    [48, 0xffff_dcd6],
    [1, PARAM_ERROR],
  ] as const) {
    t.is(platform.rtas(0x2009, [id, 0x3000], 1)[0], status);
  }
});

test('nvram: what is stored is fetched, within 64 KiB', (t) => {
  const platform = new TestPlatform();
  platform.memory.write(0x3000, Uint8Array.of(1, 2, 3, 4), 0, 4);
  t.deepEqual(platform.rtas(0x2013, [0xfffc, 0x3000, 4], 2), [0, 4]);
  t.deepEqual(platform.rtas(0x2012, [0xfffe, 0x4000, 2], 2), [0, 2]);
  t.deepEqual([...platform.memory.view(0x4000, 3)], [3, 4, 0]);
  t.deepEqual(platform.rtas(0x2012, [0xfffe, 0x4000, 3], 2), [PARAM_ERROR, 0]);
  t.deepEqual(platform.rtas(0x2012, [1, 0x4000, 0xffff_ffff], 2), [PARAM_ERROR, 0]);
  t.deepEqual(platform.rtas(0x2012, [0, 0xff_fff0, 0x100], 2), [0, 0x10], 'as far as RAM goes');
  t.deepEqual(platform.rtas(0x2012, [0, 0x8000_0000, 0x2000], 2), [0, 0x1000], 'a bounce buffer elsewhere');
  t.deepEqual(new TestPlatform({ vio: [] }).rtas(0x2012, [0, 0, 0], 2), [HW_ERROR, 0]);
});

test('quiesce and bypass reach VIO windows only', (t) => {
  const platform = new TestPlatform({ vio: [{ kind: 'spapr-nvram' }, { kind: 'spapr-vscsi' }] });
  platform.hcall(0x20, 0x7100_0001, 0x1000, 0x5003);
  platform.hcall(0x20, 0x8000_0000, 0x1000, 0x5003);
  t.is(platform.rtas(0x2010, [0x7100_0001, 1], 0)[0], 0);
  t.true(platform.papr.partition.vio.devices[1]?.table?.bypass);
  t.is(platform.rtas(0x2010, [0x7100_0000, 1], 1)[0], PARAM_ERROR);
  t.is(platform.rtas(0x2010, [0x7100_0007, 1], 1)[0], PARAM_ERROR);
  t.is(platform.rtas(0x2011, [0], 1)[0], PARAM_ERROR);
  t.is(platform.rtas(0x2011, [], 1)[0], 0);
  platform.hcall(0x1c, 0x7100_0001, 0x1000);
  t.is(platform.output(0), 0n);
  platform.hcall(0x1c, 0x8000_0000, 0x1000);
  t.is(platform.output(0), 0x5003n);
});
