import test from 'ava';
import { TestFunction, TestPlatform } from './_platform.ts';

const HW_ERROR = 0xffff_ffff;
const PARAM_ERROR = 0xffff_fffd;
const BUID = [0x800_0000, 0x2000_0000] as const;

test('ibm,change-msi runs out of numbers, and says so', (t) => {
  const platform = new TestPlatform();
  platform.papr.plug(0, new TestFunction(8, 2048));
  t.deepEqual(platform.rtas(0x2019, [0x800, ...BUID, 1, 2048, 0], 3), [0, 2048, 1]);
  t.is(platform.rtas(0x2019, [0x800, ...BUID, 1, 2048, 0], 3)[0], HW_ERROR);
  t.deepEqual(platform.rtas(0x2018, [0x800, ...BUID, 2047], 3), [0, 0x1300 + 2047, 1]);
});

test('machines before pseries-3.1 number interrupts in order of creation', (t) => {
  const platform = new TestPlatform({ legacyIrqNumbers: true, hotplugEventSource: false });
  t.is(platform.papr.partition.epowIrq, 0x1000);
  t.deepEqual(
    platform.papr.partition.vio.devices.map((device) => device.irq),
    [0x1001, 0x1002],
  );
  t.deepEqual(platform.papr.hostBridge.lsi, [0x1003, 0x1004, 0x1005, 0x1006]);
  platform.papr.plug(0, new TestFunction(8, 4));
  platform.rtas(0x2019, [0x800, ...BUID, 1, 4, 0], 3);
  t.is(platform.rtas(0x2018, [0x800, ...BUID, 0], 3)[1], 0x1007);
  t.is(platform.rtas(0x200b, [0x1400], 3)[0], PARAM_ERROR, 'there are 0x400 sources');
});
