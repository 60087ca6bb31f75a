import type { ClauseProofs } from '../_laws.ts';
import { le16, le32, type Stream } from '../_stream.ts';

const SIX = { device: 'console', offers: [1, 2], queues: 6 } as const;

const control = (id: number, event: number, value: number, little = true): number[] => [
  ...le32(id, little),
  ...le16(event, little),
  ...le16(value, little),
];

/** The driver says something. */
const ask = (s: Stream, id: number, event: number, value: number): Stream =>
  s.request(3, [control(id, event, value, !s.legacy || !s.options.bigEndian)]);

/** The device says something. */
const tell = (s: Stream, id: number, event: number, value = 1): Stream =>
  s.request(2, [64], control(id, event, value, !s.legacy || !s.options.bigEndian));

/** A byte by way of port 0, which the host reads. */
function speak(s: Stream): Stream {
  const id = s.publish(1, [[65]]);
  s.notify(1);
  s.take(1);
  s.hostOutput(1, [65]);
  return s.use(1, id).interruptQueue(1);
}

const PORTS = [0, 0, 0, 0, 2, 0, 0, 0];

export const CONSOLE_PROOFS: ClauseProofs = {
  'CON-DRV-001': {
    breach: { ...SIX, play: (s) => s.setUp().request(0, [[1], 8], [2]) },
    clean: { ...SIX, play: (s) => s.setUp().request(4, [8, 8], [2]) },
  },
  'CON-DRV-002': {
    breach: { ...SIX, play: (s) => s.setUp().request(5, [[1], 8]) },
    clean: { ...SIX, play: (s) => s.setUp().request(5, [[1], [2]]) },
  },
  'CONL-DRV-002': {
    breach: { ...SIX, mode: 'legacy', play: (s) => s.setUp().request(3, [control(0, 0, 1), [0]]) },
    clean: { ...SIX, mode: 'legacy', play: (s) => ask(s.setUp(), 0, 0, 1) },
  },
  'CON-DEV-002': {
    breach: {
      ...SIX,
      play: (s) => {
        speak(s.setUp()).reset().readFeatures(0);
        s.writeConfig(8, 4, 66).readStatus();
      },
    },
    clean: {
      ...SIX,
      play: (s) => {
        speak(s.setUp()).reset().readFeatures(0);
        s.writeConfig(8, 4, 66).hostOutput(1, [66]);
        s.readStatus();
      },
    },
  },
  'CON-DEV-003': {
    breach: { ...SIX, play: (s) => speak(s.setUp()).writeConfig(8, 4, 0x142).readStatus() },
    clean: {
      ...SIX,
      play: (s) => {
        speak(s.setUp()).writeConfig(8, 4, 0x142).hostOutput(1, [0x42]);
        s.readStatus();
      },
    },
  },
  'CON-DEV-005': {
    breach: {
      ...SIX,
      config: PORTS,
      play: (s) => tell(tell(s.setUp().readConfig(4, 4), 1, 1), 2, 1),
    },
    clean: {
      ...SIX,
      config: PORTS,
      play: (s) => tell(tell(tell(s.setUp().readConfig(4, 4), 1, 1), 1, 2), 1, 1),
    },
  },
  'CON-DEV-006': {
    breach: { ...SIX, play: (s) => tell(tell(s.setUp(), 0, 1), 1, 2) },
    clean: { ...SIX, play: (s) => tell(tell(s.setUp(), 1, 1), 1, 2) },
  },
  'CON-DRV-003': {
    breach: { ...SIX, play: (s) => ask(s.setUp(), 0, 3, 1) },
    clean: { ...SIX, play: (s) => ask(s.setUp(), 0xffff_ffff, 0, 1).request(5, [[1]]) },
  },
  'CON-DRV-005': {
    breach: {
      ...SIX,
      play: (s) =>
        tell(ask(s.setUp(), 0, 0, 1), 0, 4)
          .idle()
          .idle()
          .idle()
          .idle(),
    },
    clean: { ...SIX, play: (s) => ask(tell(ask(s.setUp(), 0, 0, 1), 0, 4).idle(), 0, 6, 1).idle() },
  },
  'CON-DRV-006': {
    breach: { ...SIX, play: (s) => ask(tell(ask(s.setUp(), 0, 0, 1), 0, 4), 0, 6, 0) },
    clean: { ...SIX, play: (s) => ask(tell(ask(s.setUp(), 0, 0, 1), 0, 4), 0, 6, 1) },
  },
  'CONL-BOTH-001': {
    breach: {
      ...SIX,
      mode: 'legacy',
      bigEndian: true,
      config: [0, 0, 0, 0, 31, 0, 0, 0],
      play: (s) => s.setUp().readConfig(4, 4),
    },
    clean: {
      ...SIX,
      mode: 'legacy',
      bigEndian: true,
      config: [0, 0, 0, 0, 0, 0, 0, 31],
      play: (s) => s.setUp().readConfig(4, 1).readConfig(5, 1).readConfig(6, 1).readConfig(7, 1),
    },
  },
  'CONL-BOTH-002': {
    breach: {
      ...SIX,
      mode: 'legacy',
      bigEndian: true,
      play: (s) => s.setUp().request(2, [64], control(1, 1, 1)),
    },
    clean: { ...SIX, mode: 'legacy', bigEndian: true, play: (s) => tell(s.setUp(), 1, 1) },
  },
};
