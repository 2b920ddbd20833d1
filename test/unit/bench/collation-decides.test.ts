import { expect, it } from 'vitest';
import { collationDecides } from '../../../bench/collation-decides.ts';
import { INDEX_SHAPES } from '../../../bench/search-shapes.ts';

it('is so for orders by text and ILIKE over PostgreSQL alone', () => {
  expect(INDEX_SHAPES.filter((shape) => collationDecides(shape, 'postgresql')).map(({ name }) => name)).toEqual([
    'all runs, order by param',
    'tag ILIKE, order by param',
    'all runs, order by run name',
  ]);
});

it('is never so over SQLite, which compares bytes', () => {
  expect(INDEX_SHAPES.filter((shape) => collationDecides(shape, 'sqlite'))).toEqual([]);
});
