/** Which rows of a long list have to exist: those in sight and a few more on either side. Pure. */
export interface RowWindow {
  first: number;
  /** One past the last. */
  end: number;
}

export function rowWindow(
  scrollTop: number,
  viewHeight: number,
  rowHeight: number,
  rows: number,
  spare = 6,
): RowWindow {
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - spare);
  const end = Math.min(rows, Math.ceil((scrollTop + viewHeight) / rowHeight) + spare);
  return { first: Math.min(first, end), end };
}

/** Where to scroll so that row `index` is in sight, moving as little as possible; null = it already is. */
export function scrollToRow(
  index: number,
  scrollTop: number,
  viewHeight: number,
  rowHeight: number,
): number | null {
  const top = index * rowHeight;
  if (top < scrollTop) return top;
  if (top + rowHeight > scrollTop + viewHeight) return top + rowHeight - viewHeight;
  return null;
}
