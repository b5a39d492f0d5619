// A QR code (ISO/IEC 18004): bytes, level L, versions 1 to 6, mask 0. Enough for an authenticator's key. Pure.
interface Version {
  data: number; // code words in all blocks
  blocks: number;
  repair: number; // code words of a block
  align: number; // centre of the one alignment pattern; 0: none
}

const versions: Version[] = [
  { data: 19, blocks: 1, repair: 7, align: 0 },
  { data: 34, blocks: 1, repair: 10, align: 18 },
  { data: 55, blocks: 1, repair: 15, align: 22 },
  { data: 80, blocks: 1, repair: 20, align: 26 },
  { data: 108, blocks: 1, repair: 26, align: 30 },
  { data: 136, blocks: 2, repair: 18, align: 34 },
];

// GF(256) of x^8 + x^4 + x^3 + x^2 + 1.
const powers: number[] = [];
for (let i = 0, value = 1; i < 255; i++) {
  powers.push(value);
  value = value < 128 ? value << 1 : (value << 1) ^ 0x11d;
}
const times = (a: number, b: number): number => (a && b ? powers[(powers.indexOf(a) + powers.indexOf(b)) % 255]! : 0);

/** Reed-Solomon: what is left of data · x^count divided by (x − 1)(x − α)… */
function repairOf(data: number[], count: number): number[] {
  let generator = [1];
  for (let i = 0; i < count; i++) {
    const next = [...generator, 0];
    generator.forEach((value, at) => {
      next[at + 1]! ^= times(value, powers[i]!);
    });
    generator = next;
  }
  const rest = [...data, ...new Array<number>(count).fill(0)];
  data.forEach((_, at) => {
    const lead = rest[at]!;
    generator.forEach((value, i) => {
      rest[at + i]! ^= times(value, lead);
    });
  });
  return rest.slice(data.length);
}

function wordsOf(bytes: Uint8Array, version: Version): number[] {
  let bits = `0100${bytes.length.toString(2).padStart(8, '0')}`;
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
  bits = `${bits}0000`.slice(0, version.data * 8);
  bits = bits.padEnd(Math.ceil(bits.length / 8) * 8, '0');
  const data = (bits.match(/.{8}/g) ?? []).map((word) => parseInt(word, 2));
  for (let i = 0; data.length < version.data; i++) data.push(i % 2 === 0 ? 0xec : 0x11);
  const size = version.data / version.blocks;
  const blocks = Array.from({ length: version.blocks }, (_, i) => data.slice(i * size, (i + 1) * size));
  const repairs = blocks.map((block) => repairOf(block, version.repair));
  const woven = (rows: number[][]): number[] => rows[0]!.flatMap((_, at) => rows.map((row) => row[at]!));
  return [...woven(blocks), ...woven(repairs)];
}

/** Fixed patterns; null where data goes. */
function frame(size: number, align: number): (boolean | null)[][] {
  const grid = Array.from({ length: size }, () => new Array<boolean | null>(size).fill(null));
  const ring = (row: number, column: number, reach: number, isDark: (distance: number) => boolean) => {
    for (let r = -reach; r <= reach; r++) {
      for (let c = -reach; c <= reach; c++) {
        const line = grid[row + r];
        if (line && column + c >= 0 && column + c < size) line[column + c] = isDark(Math.max(Math.abs(r), Math.abs(c)));
      }
    }
  };
  for (const [row, column] of [[3, 3], [3, size - 4], [size - 4, 3]] as const) ring(row, column, 4, (far) => far !== 2 && far !== 4);
  for (let i = 8; i < size - 8; i++) grid[6]![i] = grid[i]![6] = i % 2 === 0;
  if (align) ring(align, align, 2, (far) => far !== 1);
  const format = 0b111011111000100; // level L, mask 0, with its BCH bits
  for (let i = 0; i < 15; i++) {
    const bit = ((format >> i) & 1) === 1;
    grid[i < 6 ? i : i < 8 ? i + 1 : size - 15 + i]![8] = bit;
    grid[8]![i < 8 ? size - 1 - i : i === 8 ? 7 : 14 - i] = bit;
  }
  grid[size - 8]![8] = true;
  return grid;
}

/** Rows of dark and light; null when the text is too long. */
export function qr(text: string): boolean[][] | null {
  const bytes = new TextEncoder().encode(text);
  const at = versions.findIndex((version) => bytes.length + 2 <= version.data);
  if (at < 0) return null;
  const version = versions[at]!;
  const size = 21 + 4 * at;
  const grid = frame(size, version.align);
  const bits = wordsOf(bytes, version).flatMap((word) => [7, 6, 5, 4, 3, 2, 1, 0].map((bit) => ((word >> bit) & 1) === 1));
  let next = 0;
  let isUp = true;
  for (let right = size - 1; right > 0; right -= 2) {
    if (right === 6) right = 5;
    for (let i = 0; i < size; i++) {
      const row = isUp ? size - 1 - i : i;
      for (const column of [right, right - 1]) {
        if (grid[row]![column] !== null) continue;
        grid[row]![column] = (bits[next++] ?? false) !== ((row + column) % 2 === 0);
      }
    }
    isUp = !isUp;
  }
  return grid as boolean[][];
}
