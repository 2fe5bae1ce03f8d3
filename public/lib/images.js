// Makes pictures small enough to send: turned upright, no larger than a model looks at, compressed anew.

const QUALITY = 0.85;
const KINDS = ["image/jpeg", "image/png", "image/webp", "image/gif"];
const TAKEN = "JPEG, PNG, WebP and GIF are taken everywhere.";
export const MOST_IMAGES = 10;

/** How large a picture may be sent; 1568 is the most that Claude looks at, and about what others do. */
export const LONGEST = [
  [512, "512 px"],
  [1024, "1024 px"],
  [1568, "1568 px"],
  [2048, "2048 px"],
  [null, "as it is"],
];

/** Whether a file is a picture. */
export const isPicture = (file) => file.type.startsWith("image/") || isHeic(file);

/** What iPhones take; most browsers can neither read it nor know its type. */
const isHeic = (file) => /^image\/hei[cf]/.test(file.type) || /\.hei[cf]$/i.test(file.name);

/**
 * A picture to send: its data URL, its size before and after, and a URL for a preview.
 *
 * `longest` is how many pixels its longer side may have; null sends the file's own bytes.
 */
export async function prepare(file, longest) {
  const before = { bytes: file.size };
  if (longest === null || file.type === "image/gif") {
    if (!KINDS.includes(file.type)) throw new Error(`${file.name} is ${kindOf(file)}; ${TAKEN}`);
    return dressed(file, before, file, await measured(file));
  }
  const bitmap = await decoded(file);
  const size = fitted(bitmap, longest);
  const small = await drawn(bitmap, size);
  bitmap.close();
  // why: a small drawing may have been smaller as it was
  const better = small.size >= file.size && size.same && KINDS.includes(file.type) && !mayBeTurned(file);
  return dressed(better ? file : small, { ...before, ...size.from }, file, size);
}

async function decoded(file) {
  try {
    return await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    throw new Error(`This browser cannot read ${file.name}, which is ${kindOf(file)}; ${TAKEN}`);
  }
}

const kindOf = (file) => (isHeic(file) ? "HEIC" : file.type || "of no known type");

/** Only JPEG says how it is to be turned, and stripping that also drops where it was taken. */
const mayBeTurned = (file) => file.type === "image/jpeg";

function fitted({ width, height }, longest) {
  const scale = Math.min(1, longest / Math.max(width, height));
  const to = { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
  return { ...to, same: scale === 1, from: { width, height } };
}

async function drawn(bitmap, { width, height }) {
  const canvas = blank(width, height);
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  // why: JPEG has no transparency, and what is see-through would turn black
  return blobOf(canvas, hasHoles(context, width, height) ? "image/png" : "image/jpeg");
}

const blank = (width, height) => Object.assign(document.createElement("canvas"), { width, height });

function hasHoles(context, width, height) {
  const { data } = context.getImageData(0, 0, width, height);
  for (let i = 3; i < data.length; i += 4) if (data[i] < 255) return true;
  return false;
}

const blobOf = (canvas, type) =>
  new Promise((resolve, reject) =>
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error("The picture cannot be compressed."))),
      type,
      QUALITY,
    ),
  );

async function measured(file) {
  const bitmap = await createImageBitmap(file).catch(() => null);
  return { width: bitmap?.width ?? null, height: bitmap?.height ?? null };
}

async function dressed(blob, before, file, { width, height }) {
  return {
    name: file.name || "picture",
    type: blob.type,
    original: file.type,
    before,
    after: { bytes: blob.size, width, height },
    url: await dataUrl(blob),
    preview: URL.createObjectURL(blob),
  };
}

function dataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(new Error("The picture cannot be read."));
    reader.readAsDataURL(blob);
  });
}
