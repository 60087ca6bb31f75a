import test from 'ava';
import { clauseLaws } from '../_laws.ts';
import { NET_RECEIVE_PROOFS } from './_net-receive.ts';
import { NET_RECEIVE_CLAUSES } from './net-receive.ts';

clauseLaws(test, NET_RECEIVE_CLAUSES, NET_RECEIVE_PROOFS, {
  'NETRX-DEV-006':
    'QEMU 7.2 writes ten of twelve bytes where buffers do not merge (hw/net/virtio-net.c: receive_header)',
});
