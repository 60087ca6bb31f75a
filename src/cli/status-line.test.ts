import test from 'ava';
import { StatusLine } from './status-line.ts';

/** A stream that keeps what is written, and a clock set by hand. */
function stage(isTTY: boolean): { line: StatusLine; written: string[]; clock: { ms: number } } {
  const written: string[] = [];
  const clock = { ms: 0 };
  const stream = { isTTY, columns: 20, write: (text: string) => written.push(text) };
  return { line: new StatusLine(stream, () => clock.ms), written, clock };
}

test('on a terminal one line is drawn over, and taken away at the end', (t) => {
  const { line, written, clock } = stage(true);
  line.show('1 case');
  clock.ms = 50;
  line.show('2 cases');
  clock.ms = 120;
  line.show('a text longer than the terminal');
  line.say('a finding');
  line.clear();
  t.deepEqual(written, ['\r\u001B[2K1 case', '\r\u001B[2Ka text longer than ', '\r\u001B[2K', 'a finding\n']);
});

test('elsewhere plain lines come at once and then seldom', (t) => {
  const { line, written, clock } = stage(false);
  line.show('first');
  clock.ms = 4999;
  line.show('too soon');
  clock.ms = 5000;
  line.show('second');
  line.clear();
  t.deepEqual(written, ['first\n', 'second\n']);
});
