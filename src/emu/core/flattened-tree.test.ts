import test from 'ava';
import fc from 'fast-check';
import { prop } from '../../_prop.ts';
import { flattenTree, NodeBuilder, readFlattenedTree, type TreeNode } from './flattened-tree.ts';

const name = fc.stringMatching(/^[a-z,#@0-9-]{1,20}$/);
function treeOf(depth: number): fc.Arbitrary<TreeNode> {
  return fc.record({
    name,
    properties: fc.array(fc.record({ name, value: fc.uint8Array({ maxLength: 24 }) }), { maxLength: 5 }),
    children: depth === 0 ? fc.constant([]) : fc.array(treeOf(depth - 1), { maxLength: 3 }),
  });
}

const tree = treeOf(3);

function plain(node: TreeNode): unknown {
  return [
    node.name,
    node.properties.map((property) => [property.name, [...property.value]]),
    node.children.map((child) => plain(child)),
  ];
}

// Falsified by any tree that comes back with another name, value, order or nesting.
prop('what is written is read back', [tree], (root) => {
  const read = readFlattenedTree(flattenTree(root));
  return read.ok && JSON.stringify(plain(read.root)) === JSON.stringify(plain(root));
});

// Falsified by an exception, or by a read that hangs.
prop(
  'any damage is an answer, never an exception',
  [tree, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }), fc.nat()],
  (root, damage, cut) => {
    const blob = flattenTree(root);
    for (const [at, value] of damage) blob[at % blob.length] = value;
    readFlattenedTree(blob);
    readFlattenedTree(blob.subarray(0, cut % blob.length));
  },
);

test('the header names the blocks', (t) => {
  const root = new NodeBuilder('').cells('reg', 1, 2).child(new NodeBuilder('a').flag('x')).node;
  const blob = flattenTree(root);
  const view = new DataView(blob.buffer);
  const words = Array.from({ length: 10 }, (_, index) => view.getUint32(4 * index));
  const structure = 8 + 12 + 8 + 8 + 12 + 4 + 4 + 4;
  const strings = 'x\0reg\0'.length;
  t.deepEqual(words, [
    0xd00dfeed,
    56 + structure + strings,
    56,
    56 + structure,
    40,
    17,
    16,
    0,
    strings,
    structure,
  ]);
  t.is(blob.length, 56 + structure + strings);
});

test('a name that ends a name met before shares its bytes', (t) => {
  // The blob's order is the reverse of creation: `linux,phandle` was there first.
  const shared = flattenTree(new NodeBuilder('').cells('phandle', 1).cells('linux,phandle', 1).node);
  const apart = flattenTree(new NodeBuilder('').cells('linux,phandle', 1).cells('phandle', 1).node);
  t.is(apart.length - shared.length, 'phandle\0'.length);
});

test('refusals say why', (t) => {
  const blob = flattenTree(new NodeBuilder('').cells('reg', 1).node);
  const refused = (change: (view: DataView) => void): string => {
    const copy = blob.slice();
    change(new DataView(copy.buffer));
    const read = readFlattenedTree(copy);
    return read.ok ? 'accepted' : read.reason;
  };
  t.regex(
    refused((view) => view.setUint32(0, 0)),
    /magic/,
  );
  t.regex(
    refused((view) => view.setUint32(4, blob.length + 1)),
    /total size/,
  );
  t.regex(
    refused((view) => view.setUint32(8, 0x7fffffff)),
    /structure block/,
  );
  t.regex(
    refused((view) => view.setUint32(32, 0x7fffffff)),
    /strings block/,
  );
  t.regex(
    refused((view) => view.setUint32(60 + 4, 7)),
    /unknown token|cut off/,
  );
  t.regex(
    refused((view) => view.setUint32(60 + 8, 0xffffffff)),
    /cut off/,
  );
});

test('nesting is bounded', (t) => {
  let deep = new NodeBuilder('n');
  for (let i = 0; i < 80; i++) deep = new NodeBuilder('n').child(deep);
  const read = readFlattenedTree(flattenTree(deep.node));
  t.like(read, { ok: false, reason: 'nodes are nested too deeply' });
});
