/** The result of a wait, or `null` where it takes longer than it may. No timer is left. */
export async function resultWithin<Result>(
  ms: number,
  wait: Promise<Result>,
): Promise<Result | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => timer = setTimeout(() => resolve(null), ms));
  try {
    return await Promise.race([wait, late]);
  } finally {
    clearTimeout(timer);
  }
}
