import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backends } from '../../../src/federation/backends.ts';
import { type IdKind, translationOf } from '../../../src/federation/id-mapping.ts';

const backends = new Backends([
  { id: 'lab', namePrefix: 'lab/' },
  { id: 'b', namePrefix: 'team b: ' },
]);
const of = (id: string) => translationOf(backends, backends.all.find((backend) => backend.id === id) ?? fail());
const fail = (): never => {
  throw new Error('There is no such backend.');
};

const HEX = '0123456789abcdef0123456789abcdef';

describe('ids outside and inside', () => {
  it.each<[string, IdKind, string, string]>([
    ['lab', 'id', '12', 'lab-12'],
    ['lab', 'id', HEX, `lab-${HEX}`],
    ['lab', 'id', `m-${HEX}`, `lab-m-${HEX}`],
    ['lab', 'id', '', ''],
    ['default', 'id', HEX, HEX],
    ['lab', 'mention', HEX, `lab-${HEX}`],
    ['lab', 'mention', `default-${HEX}`, HEX],
    ['lab', 'mention', `b-${HEX}`, `b-${HEX}`],
    ['lab', 'mention', `lab-${HEX}`, `lab-lab-${HEX}`],
    ['lab', 'mention', 'no id', 'no id'],
    ['default', 'mention', `lab-${HEX}`, `lab-${HEX}`],
    ['lab', 'uri', `mlflow-artifacts:/1/${HEX}/artifacts`, `mlflow-artifacts:/lab-1/${HEX}/artifacts`],
    ['lab', 'uri', 'mlflow-artifacts:///1/x', 'mlflow-artifacts:///lab-1/x'],
    ['lab', 'uri', 'mlflow-artifacts:/default-1/x', 'mlflow-artifacts:/1/x'],
    ['lab', 'uri', 'runs:/default-1/x', 'runs:/1/x'],
    ['lab', 'uri', 'mlflow-artifacts:/b-1/x', 'mlflow-artifacts:/lab-b-1/x'],
    ['lab', 'uri', 's3://bucket/1', 's3://bucket/1'],
    ['lab', 'uri', '/mnt/runs/1', '/mnt/runs/1'],
    ['lab', 'uri', 'mlflow-artifacts://host:5000/1', 'mlflow-artifacts://host:5000/1'],
    ['lab', 'uri', `runs:/${HEX}/model`, `runs:/lab-${HEX}/model`],
    ['lab', 'uri', `models:/m-${HEX}`, `models:/lab-m-${HEX}`],
    ['lab', 'uri', 'models:/iris/1', 'models:/iris/1'],
    ['lab', 'name', 'train', 'lab/train'],
    ['b', 'name', 'train', 'team b: train'],
    ['default', 'name', 'train', 'train'],
    ['default', 'name', 'lab/train', 'default/lab/train'],
    ['default', 'name', 'default/train', 'default/train'],
    ['default', 'name', 'default/lab/train', 'default/default/lab/train'],
  ])('%s: %s %s is %s outside', (id, kind, native, outside) => {
    const { outward, inward } = of(id);
    expect(outward[kind](native)).toBe(outside);
    expect(inward[kind](outside)).toBe(native);
  });

  it('gives back any text that it was given, and never the same text for two', () => {
    const part = fc.constantFrom('lab-', 'b-', 'default-', 'm-', HEX, '1', 'x', '/', 'default/', 'lab/', 'team b: ');
    const uri = fc.constantFrom('', 'mlflow-artifacts:/', 'mlflow-artifacts://', 'runs:/', 'models:/');
    const text = fc.tuple(uri, fc.array(part, { maxLength: 5 })).map(([start, parts]) => start + parts.join(''));
    const kinds = fc.constantFrom<IdKind>('id', 'mention', 'uri', 'name');
    fc.assert(
      fc.property(fc.constantFrom('default', 'lab', 'b'), kinds, fc.oneof(text, fc.string()), (id, kind, native) => {
        const { outward, inward } = of(id);
        expect(inward[kind](outward[kind](native))).toBe(native);
      }),
      { numRuns: 5_000 },
    );
  });

  it('never gives two experiments the same name, nor two runs the same id', () => {
    const texts = fc.array(fc.constantFrom('lab-', 'default/', 'lab/', 'team b: ', 'a', '1'), {
      minLength: 1,
      maxLength: 4,
    });
    const thing = fc.tuple(
      fc.constantFrom('default', 'lab', 'b'),
      texts.map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(thing, thing, ([id, name], [otherId, otherName]) => {
        fc.pre(id !== otherId);
        expect(of(id).outward.name(name)).not.toBe(of(otherId).outward.name(otherName));
      }),
      { numRuns: 5_000 },
    );
  });

  it('finds the owner of what it gave a name', () => {
    const names = fc.array(fc.constantFrom('default/', 'lab/', 'team b: ', 'a'), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        fc.constantFrom('default', 'lab', 'b'),
        names.map((parts) => parts.join('')),
        (id, name) => {
          expect(backends.ownerOfName(of(id).outward.name(name))).toBe(id);
        },
      ),
    );
    expect(backends.ownerOf('lab-12')).toBe('lab');
    expect(backends.ownerOf(`m-${HEX}`)).toBe('default');
    expect(backends.ownerOf('other-12')).toBe('default');
    expect(backends.ownerOf('12')).toBe('default');
  });
});
