import type { ClauseChecker, Judged, Judgement } from '../clause.ts';
import type { NetFrame } from '../net-frame.ts';
import { watchNet, type NetCommand, type NetPacket, type NetView, type NetWatch } from '../net-view.ts';

/**
 * Checkers of network clauses by what they look at. Each takes when the clause applies and what holds then; those that
 * judge the device ask first whether driver and rings are still such as the specification speaks of.
 */

type PacketTest = (packet: NetPacket, view: NetView) => boolean;
type CommandTest = (command: NetCommand, view: NetView) => boolean;
type ViewTest = (view: NetView) => boolean;

/** Any watch of a network device. */
export function rule(
  id: string,
  judge: Judged,
  make: (clause: Judgement, view: NetView) => NetWatch,
): ClauseChecker {
  return { id, judge, watch: (clause, device) => watchNet(device, (view) => make(clause, view)) };
}

/** Of the header of a frame that the driver makes available. */
export function sending(id: string, when: PacketTest, holds: PacketTest, sentence: string): ClauseChecker {
  return rule(id, 'driver', (clause, view) => ({
    onSending(packet) {
      if (when(packet, view)) clause.holds(holds(packet, view), sentence);
    },
  }));
}

/** Of all bytes of a frame that the device has read. */
export function sent(id: string, when: PacketTest, holds: PacketTest, sentence: string): ClauseChecker {
  return rule(id, 'driver', (clause, view) => ({
    onSent(packet) {
      if (packet.whole && when(packet, view)) clause.holds(holds(packet, view), sentence);
    },
  }));
}

/** Of a packet that the device delivered. */
export function received(id: string, when: PacketTest, holds: PacketTest, sentence: string): ClauseChecker {
  return rule(id, 'device', (clause, view) => ({
    onReceived(packet) {
      if (view.trusts(packet.queue) && when(packet, view)) clause.holds(holds(packet, view), sentence);
    },
  }));
}

/** Of a frame from the wire that found room: delivered it must be, or must not. */
export function settled(
  id: string,
  when: (frame: NetFrame, view: NetView) => boolean,
  delivered: boolean,
  sentence: string,
): ClauseChecker {
  return rule(id, 'device', (clause, view) => ({
    onSettled(frame, by) {
      if (view.trusts() && when(frame, view)) clause.holds(by >= 0 === delivered, sentence);
    },
  }));
}

/** Of a command as the driver makes it available. */
export function commanding(
  id: string,
  when: CommandTest,
  holds: CommandTest,
  sentence: string,
): ClauseChecker {
  return rule(id, 'driver', (clause, view) => ({
    onCommanding(command) {
      if (when(command, view)) clause.holds(holds(command, view), sentence);
    },
  }));
}

/** Of what the device answered to a command. */
export function commanded(
  id: string,
  when: CommandTest,
  holds: CommandTest,
  sentence: string,
): ClauseChecker {
  return rule(id, 'device', (clause, view) => ({
    onCommand(command) {
      if (view.trusts(view.controlQueue) && when(command, view)) clause.holds(holds(command, view), sentence);
    },
  }));
}

/** Of a field of device configuration, each time that it is read. */
export function field(
  id: string,
  when: ViewTest,
  offset: number,
  width: number,
  holds: (value: number) => boolean,
  sentence: string,
): ClauseChecker {
  return rule(id, 'device', (clause, view) => ({
    onConfigRead(at, bytes) {
      if (at + bytes <= offset || at >= offset + width || !view.knows(offset, width)) return;
      if (view.settled && view.trusts() && when(view))
        clause.holds(holds(view.field(offset, width)), sentence);
    },
  }));
}

/** A field that keeps its value. */
export function fixed(
  id: string,
  when: ViewTest,
  offset: number,
  width: number,
  sentence: string,
): ClauseChecker {
  return rule(id, 'device', (clause, view) => {
    const seen = clause.state({ value: -1, at: 0 });
    return {
      onReset() {
        seen.value = -1;
      },
      onConfigRead(at, bytes) {
        if (at + bytes <= offset || at >= offset + width || !view.knows(offset, width)) return;
        if (!view.settled || !view.trusts() || !when(view)) return;
        const value = view.field(offset, width);
        if (seen.value >= 0) clause.holds(value === seen.value, sentence, seen.at);
        seen.value = value;
        seen.at = clause.event;
      },
    };
  });
}

/** A feature that is not offered without another. */
export function offeredWith(id: string, feature: number, needed: number, sentence: string): ClauseChecker {
  return rule(id, 'device', (clause, { device }) => ({
    onFeaturesRead() {
      if (!device.knowsOffer(feature) || !device.knowsOffer(needed) || !device.offers(feature)) return;
      clause.holds(device.offers(needed), sentence);
    },
  }));
}

/** A feature that is not accepted without another. */
export function acceptedWith(id: string, feature: number, needed: number, sentence: string): ClauseChecker {
  return rule(id, 'driver', (clause, { device }) => ({
    onDriverOk() {
      if (device.has(feature)) clause.holds(device.has(needed), sentence);
    },
  }));
}

/** A feature that is accepted where it is offered. */
export function accepted(id: string, feature: number, sentence: string): ClauseChecker {
  return rule(id, 'driver', (clause, { device }) => ({
    onDriverOk() {
      if (device.offers(feature)) clause.holds(device.has(feature), sentence);
    },
  }));
}
