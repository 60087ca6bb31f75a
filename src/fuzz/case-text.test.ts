// A case is written down twice, as a text and as CBOR; both come back as they went.
import test from 'ava';
import { prop } from '../_prop.ts';
import { drawMachine } from './arbitraries/machine-config.ts';
import { Drawn } from './arbitraries/drawn.ts';
import { programArbitrary } from './arbitraries/step.ts';
import { caseAddress, decodeCase, encodeCase } from './case-binary.ts';
import { caseText, parseCase, parseStep, stepText } from './case-text.ts';
import { CASE_VERSION, MODES, PLACES, type Case } from './case.ts';
import { machineRows } from './machines.ts';

const program = programArbitrary({ maxLength: 24 });
const anyCase = new Drawn<Case>(
  (random) => ({
    scenario: 'whole-life',
    machine: drawMachine(random, machineRows({}), 'x7'),
    steps: program.draw(random),
  }),
  () => [],
  (value): value is Case => value !== undefined,
);

prop('a case that is printed and read is the same case', [anyCase], (value) => {
  const text = caseText(value);
  return JSON.stringify(parseCase(text)) === JSON.stringify(value) && caseText(parseCase(text)) === text;
});

prop('a case that is encoded and decoded is the same case, at the same address', [anyCase], (value) => {
  const back = decodeCase(encodeCase(value));
  return JSON.stringify(back) === JSON.stringify(value) && caseAddress(back) === caseAddress(value);
});

const TEXT = `papyrus case 1
scenario whole-life
# a comment
machine pseries-7.2 device=blk mode=modern iommu_platform=on profile=modern-plat seed=7

submit head=9: r16 w512 w1
`;

test('a person may write comments and empty lines, and leave plain arguments out', (t) => {
  const value = parseCase(TEXT);
  t.is(value.steps.length, 1);
  t.is(value.machine.iommuPlatform, true);
  t.is(stepText(parseStep('submit queue=0 head=9 kick=yes: r16')), 'submit head=9: r16');
});

test('what is no case is refused in one sentence that names the line', (t) => {
  t.throws(() => parseCase('hello'), { message: /no case/ });
  t.throws(() => parseCase(TEXT.replace('case 1', 'case 2')), { message: /version 2 is not 1/ });
  t.throws(() => parseCase(TEXT.replace('submit head=9: r16 w512 w1', 'sing')), {
    message: /^line 6: 'sing' is no step/,
  });
  t.throws(() => parseCase(TEXT.replace('head=9', 'head=70000')), { message: /head=70000/ });
  t.throws(() => parseCase(TEXT.replace('mode=modern', 'mode=old')), { message: /mode=old/ });
  t.throws(() => parseCase(TEXT.replace(' seed=7', '')), { message: /third line/ });
  t.throws(() => parseStep('idle: r16'), { message: /takes nothing/ });
  t.throws(() => parseStep('submit'), { message: /wants a chain/ });
  t.throws(() => parseCase(`${TEXT}${'idle\n'.repeat(5000)}`), { message: /at most 4096 steps/ });
  t.throws(() => parseCase(' '.repeat(2 ** 21)), { message: /1 MiB/ });
});

test('damaged CBOR is refused', (t) => {
  const bytes = encodeCase(parseCase(TEXT));
  for (let at = 0; at < bytes.length; at++) t.throws(() => decodeCase(bytes.slice(0, at)));
  t.throws(() => decodeCase(Uint8Array.of(0x80)));
});

test('places, modes and the version are what stored cases were written with', (t) => {
  t.is(CASE_VERSION, 1);
  t.deepEqual(MODES, ['legacy', 'transitional', 'modern']);
  t.is(PLACES.indexOf('buffer'), 0);
  t.is(PLACES.length, 16);
});
