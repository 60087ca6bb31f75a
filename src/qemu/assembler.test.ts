import test from 'ava';
import { Assembler, indexed, scWord } from './assembler.ts';

function words(code: Uint8Array): string[] {
  return Array.from({ length: code.length / 4 }, (_, i) =>
    Buffer.from(code.subarray(4 * i, 4 * i + 4)).toString('hex'),
  );
}

// The words on the right are what GNU as makes of the same lines.
test('instructions are the words that GNU as gives', (t) => {
  const code = new Assembler()
    .li(3, 0x300)
    .addi(4, 4, -1)
    .ld(5, 24, 31)
    .std(3, 32, 31)
    .lwz(0, 0, 31)
    .stw(14, 4, 31)
    .lbz(6, 0, 3)
    .stb(6, 0, 4)
    .lhz(6, 0, 3)
    .cmpwi(0, 3)
    .cmpd(6, 4)
    .subf(8, 7, 8)
    .mtspr(9, 5)
    .mtspr(26, 14)
    .mfspr(3, 19)
    .mftb(7)
    .sc(1)
    .rfid()
    .bytes();
  t.deepEqual(
    words(code),
    // prettier-ignore
    ['38600300', '3884ffff', 'e8bf0018', 'f87f0020', '801f0000', '91df0004', '88c30000', '98c40000', 'a0c30000',
     '2c000003', '7c262000', '7d074050', '7ca903a6', '7dda03a6', '7c7302a6', '7cec42a6', '44000022', '4c000024'],
  );
});

test('a constant of 64 bits is five words', (t) => {
  t.deepEqual(words(new Assembler().constant(31, 0xc000_0000_0020_0000n).bytes()), [
    '3fe0c000',
    '63ff0000',
    '7bff07c6',
    '67ff0020',
    '63ff0000',
  ]);
});

test('branches reach labels before and behind them', (t) => {
  const code = new Assembler(0x6000)
    .label('top')
    .beq('end')
    .bne('top')
    .ble('top')
    .bdnz('top')
    .b('far')
    .label('end')
    .outside('far', 0x4000)
    .b('top')
    .bytes();
  t.deepEqual(words(code), ['41820014', '4082fffc', '4081fff8', '4200fff4', '4bffdff0', '4bffffec']);
  t.throws(() => new Assembler().b('nowhere').bytes(), { message: /nowhere/ });
});

test('indexed accesses and system calls', (t) => {
  t.is(indexed(3, 4, 790).toString(16), '7c60262c');
  t.deepEqual([scWord(0).toString(16), scWord(1).toString(16)], ['44000002', '44000022']);
});
