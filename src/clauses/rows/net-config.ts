import type { ClauseTable } from '../clause.ts';
import { CONFIG, F, type NetView } from '../net-view.ts';
import { accepted, acceptedWith, field, fixed, offeredWith, received, rule, sending } from './net-rules.ts';

const ETHERNET = 14;
const VLAN = 4;
const DUPLEX_UNKNOWN = 0xff;
const SPEED_MAX = 0x7fff_ffff;
const SPEED_UNKNOWN = 0xffff_ffff;
const LOCAL = 2;
const LINK_UP = 1;

const offers =
  (...features: readonly number[]) =>
  ({ device }: NetView): boolean =>
    features.some((feature) => device.offers(feature));

/** MTU was accepted and its field is known. */
function hasMtu(view: NetView): boolean {
  return view.has(F.MTU) && view.knows(CONFIG.mtu, 2);
}

/** The longest frame of the negotiated MTU. */
function frameMax(view: NetView, vlan: number): number {
  return view.field(CONFIG.mtu, 2) + ETHERNET + (vlan >= 0 ? VLAN : 0);
}

/** Network device: configuration and features (5.1.4). */
export const NET_CONFIG_CLAUSES: ClauseTable = {
  name: 'net-config',
  type: 1,
  checkers: [
    offeredWith('NET-DEV-001', F.IPSEC, F.OUT_NET_HEADER, 'IPSEC is offered without OUT_NET_HEADER'),
    field(
      'NET-DEV-002',
      offers(F.MQ),
      CONFIG.maxPairs,
      2,
      (pairs) => pairs >= 1 && pairs <= 0x8000,
      'MQ is offered and max_virtqueue_pairs is not between 1 and 0x8000',
    ),
    field(
      'NET-DEV-003',
      offers(F.MTU),
      CONFIG.mtu,
      2,
      (mtu) => mtu >= 68,
      'MTU is offered and mtu is below 68',
    ),
    field(
      'NET-DEV-004',
      offers(F.MTU),
      CONFIG.mtu,
      2,
      (mtu) => mtu >= 1280,
      'MTU is offered and mtu is below 1280',
    ),
    fixed('NET-DEV-005', offers(F.MTU), CONFIG.mtu, 2, 'mtu has another value than before'),
    received(
      'NET-DEV-006',
      (packet, view) => hasMtu(view) && packet.gsoBase === 0,
      (packet, view) => packet.length <= frameMax(view, packet.vlan),
      'a packet longer than the negotiated MTU is delivered',
    ),
    rule('NET-DEV-007', 'device', (clause, view) => ({
      onSent(packet) {
        if (view.outFrames === 0 || !view.trusts(packet.queue) || !hasMtu(view) || packet.gsoBase !== 0)
          return;
        if (packet.length > frameMax(view, packet.vlan)) return;
        const whole = view.outFrames === 1 && view.out.length === packet.length;
        clause.holds(whole, 'a packet within the negotiated MTU leaves in pieces');
      },
    })),
    field(
      'NET-DEV-008',
      offers(F.RSS, F.HASH_REPORT),
      CONFIG.keyBytes,
      1,
      (bytes) => bytes >= 40,
      'rss_max_key_size is below 40',
    ),
    field(
      'NET-DEV-009',
      offers(F.RSS),
      CONFIG.tableLength,
      2,
      (length) => length >= 128,
      'rss_max_indirection_table_length is below 128',
    ),
    field(
      'NET-DEV-011',
      offers(F.SPEED_DUPLEX),
      CONFIG.speed,
      4,
      (speed) => speed <= SPEED_MAX || speed === SPEED_UNKNOWN,
      'speed is neither Mbit/s nor all ones',
    ),
    field(
      'NET-DEV-012',
      offers(F.SPEED_DUPLEX),
      CONFIG.duplex,
      1,
      (duplex) => duplex <= 1 || duplex === DUPLEX_UNKNOWN,
      'duplex is neither half, nor full, nor unknown',
    ),
    fixed(
      'NET-DEV-013',
      (view) => view.device.offers(F.SPEED_DUPLEX) && view.linkUp,
      CONFIG.speed,
      5,
      'speed or duplex changes while the link is up',
    ),
    offeredWith('NET-DEV-014', F.HASH_REPORT, F.CTRL_VQ, 'HASH_REPORT is offered without CTRL_VQ'),
    offeredWith('NET-DEV-015', F.CTRL_RX_EXTRA, F.CTRL_VQ, 'CTRL_RX_EXTRA is offered without CTRL_VQ'),
    rule('NET-DRV-001', 'driver', (clause, { device }) => ({
      onDriverOk() {
        if (device.modern) clause.applies();
      },
      onConfigWrite() {
        if (device.modern) clause.breaks('the driver writes to device configuration');
      },
    })),
    accepted('NET-DRV-002', F.MAC, 'MAC is offered and not accepted'),
    sending(
      'NET-DRV-003',
      (_packet, view) => view.has(F.MAC) && view.macKnown,
      (packet, view) => [0, 1, 2, 3, 4, 5].every((i) => packet.byte(6 + i) === view.mac[i]),
      'a frame is sent from another address than the device has',
    ),
    sending(
      'NET-DRV-004',
      (packet, view) => !view.has(F.MAC) && packet.length >= ETHERNET,
      (packet) => (packet.byte(6) & LOCAL) !== 0,
      'without MAC a frame is sent from an address that is not locally administered',
    ),
    sending(
      'NET-DRV-006',
      (_packet, view) => view.has(F.STATUS) && view.knows(CONFIG.status, 2),
      (_packet, view) => (view.field(CONFIG.status, 2) & LINK_UP) !== 0,
      'a frame is sent though status was read with the link down',
    ),
    accepted('NET-DRV-007', F.MTU, 'MTU is offered and not accepted'),
    rule('NET-DRV-008', 'driver', (clause, view) => ({
      onIdle() {
        if (!view.device.running || !hasMtu(view) || view.posted(0) === 0) return;
        clause.holds(
          view.hasRoom(frameMax(view, -1)),
          'the receive buffers have no room for one packet of the negotiated MTU',
        );
      },
    })),
    sending(
      'NET-DRV-009',
      (packet, view) => hasMtu(view) && packet.gsoBase === 0,
      (packet, view) => packet.told <= frameMax(view, packet.vlan),
      'a frame longer than the negotiated MTU is sent',
    ),
    accepted('NET-DRV-010', F.STANDBY, 'STANDBY is offered and not accepted'),
    rule('NET-DRV-012', 'driver', (clause, view) => {
      const owed = clause.state({ since: 0 });
      return {
        onReset() {
          owed.since = 0;
        },
        onInterrupt(vector) {
          const { device } = view;
          if (vector !== device.configVector || !device.running || !view.has(F.SPEED_DUPLEX)) return;
          if (owed.since !== 0)
            clause.breaks('configuration changed, and speed and duplex were not read again', owed.since);
          owed.since = clause.event;
        },
        onConfigRead(offset, width) {
          if (owed.since === 0 || offset + width <= CONFIG.speed || offset > CONFIG.duplex) return;
          owed.since = 0;
          clause.applies();
        },
      };
    }),
    acceptedWith('NET-DRV-013', F.HASH_REPORT, F.CTRL_VQ, 'HASH_REPORT is accepted without CTRL_VQ'),
    acceptedWith('NET-DRV-014', F.CTRL_RX_EXTRA, F.CTRL_VQ, 'CTRL_RX_EXTRA is accepted without CTRL_VQ'),
  ],
  undecided: [
    { id: 'NET-DEV-010', why: 'a permission: nothing breaks it' },
    { id: 'NET-DRV-005', why: 'that a driver takes the link for up shows in nothing that it must do' },
    { id: 'NET-DRV-011', why: 'what a driver takes an odd speed or duplex for shows in no event' },
  ],
};
