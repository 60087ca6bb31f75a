import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { EventQueue } from './event-queue.ts';
import { StateLoader, StateSaver } from './state.ts';
import { ticks } from './time.ts';

test('equal moments run in the order they were scheduled', (t) => {
  const queue = new EventQueue();
  const ran: number[] = [];
  const note = queue.register((argument) => ran.push(argument));
  queue.schedule(ticks(5), note, 1);
  queue.schedule(ticks(3), note, 2);
  queue.schedule(ticks(5), note, 3);
  queue.advance(ticks(4));
  t.deepEqual(ran, [2]);
  t.is(queue.now, 4 as never);
  queue.advance(ticks(1));
  t.deepEqual(ran, [2, 1, 3]);
});

test('a handler that schedules at no delay still runs within the same advance', (t) => {
  const queue = new EventQueue();
  let ran = 0;
  const again = queue.register((left) => {
    ran++;
    if (left > 0) queue.schedule(ticks(0), again, left - 1);
  });
  queue.schedule(ticks(1), again, 3);
  queue.advance(ticks(1));
  t.is(ran, 4);
  t.is(queue.pending, 0);
});

test('a chooser is asked only where there is a choice, and its pick runs first', (t) => {
  const queue = new EventQueue();
  const ran: number[] = [];
  const asked: number[] = [];
  const note = queue.register((argument) => ran.push(argument));
  queue.chooseWith((count) => {
    asked.push(count);
    return count - 1;
  });
  for (const argument of [1, 2, 3]) queue.schedule(ticks(2), note, argument);
  queue.schedule(ticks(1), note, 0);
  queue.advance(ticks(2));
  t.deepEqual(ran, [0, 3, 2, 1]);
  t.deepEqual(asked, [3, 2]);
});

test('cancel removes every entry with that handler and argument', (t) => {
  const queue = new EventQueue();
  const ran: number[] = [];
  const note = queue.register((argument) => ran.push(argument));
  queue.schedule(ticks(1), note, 7);
  queue.schedule(ticks(2), note, 7);
  queue.schedule(ticks(2), note, 8);
  t.true(queue.isScheduled(note, 7));
  queue.cancel(note, 7);
  t.false(queue.isScheduled(note, 7));
  queue.advance(ticks(9));
  t.deepEqual(ran, [8]);
});

// Falsified by any schedule after which a restored queue runs other entries, or in another order.
prop(
  'a restored queue goes on as the saved one',
  [fc.array(fc.nat(20), { maxLength: 24, size: 'max' }), fc.nat(25)],
  (delays, until) => {
    const run = (restore: boolean): number[] => {
      const queue = new EventQueue();
      const ran: number[] = [];
      const note = queue.register((argument) => ran.push(argument));
      for (const [index, delay] of delays.entries()) queue.schedule(ticks(delay), note, index);
      queue.advance(ticks(until));
      if (!restore) {
        queue.advance(ticks(30));
        return ran;
      }
      const saver = new StateSaver();
      queue.exchange(saver);
      const other = new EventQueue();
      const noteOther = other.register((argument) => ran.push(argument));
      other.schedule(ticks(1), noteOther, 999);
      const loader = new StateLoader(saver.finish());
      other.exchange(loader);
      loader.done();
      other.advance(ticks(30));
      return ran;
    };
    const straight = run(false);
    const restored = run(true);
    return straight.length === delays.length && straight.join() === restored.join();
  },
);
