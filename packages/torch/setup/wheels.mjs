/**
 * The wheels that make up the pinned libtorch, with the hashes that PyPI publishes. The build for Python 3.11 is taken whatever Python runs,
 * since nothing in it that we unpack depends on Python. The NVIDIA versions are those that torch's metadata names (through cuda-toolkit 13.2.2);
 * a machine without a GPU needs two of them, because libtorch_cpu asks for their libraries by name.
 *
 * A new version: `python3 -m pip install --dry-run --report - --only-binary=:all: --python-version 3.11 --platform … --target … torch==X`
 * lists name, version and hash of each.
 *
 * @typedef {object} Wheel
 * @property {string} name
 * @property {string} version
 * @property {boolean} cpu also needed without a GPU
 * @property {Readonly<Record<string, string>>} sha256 by platform, `<process.platform>-<process.arch>`
 */

export const WHEEL_PYTHON = "3.11";

/** @type {readonly Wheel[]} */
export const WHEELS = [
  {
    name: "torch",
    version: "2.15.0",
    cpu: true,
    sha256: {
      "linux-x64": "48c2d861134c0b5697c7602cb5ffa68f62a2989fdcd1717e593356f67996ca1e",
      "linux-arm64": "58ce2ebfb3430941353109a85be63ee8e941da22f13daa2c43344eeb51c81e06",
      "darwin-arm64": "e808b63d616a43b326e1a5677d45a2e5babe7a8ce27edb03ddb48e7dd9b6d663",
    },
  },
  {
    name: "nvidia-cudnn-cu13",
    version: "9.26.0.51",
    cpu: false,
    sha256: {
      "linux-x64": "9c976d539786698c71d6bcdbe2053b7485fae062ff7e1215d2f2ff67b1a2149a",
      "linux-arm64": "8e5b4f5eccff721416f70ecf4353172fc4d5cdd8ca869fe6f983a4a5b0147b20",
    },
  },
  {
    name: "nvidia-cusparselt-cu13",
    version: "0.8.1",
    cpu: false,
    sha256: {
      "linux-x64": "786ce87568c303fadb5afcc7102d454cd3040d75f6f8626f5db460d1871f4dd0",
      "linux-arm64": "4dca476c50bf4780d46cd0bfbd82e2bc10a08e4fef7950917ce8d7578d22a23f",
    },
  },
  {
    name: "nvidia-nccl-cu13",
    version: "2.30.7",
    cpu: false,
    sha256: {
      "linux-x64": "cefa7fdb9710efd0f39c5f1be1d61ff6fc9a996c451265bd7fbdcf9455ed4b50",
      "linux-arm64": "ca786ffa5a647c75d4d1f5cc72a6c4f537947e2ba8823d7c8aaf768e7a7b9f77",
    },
  },
  {
    name: "nvidia-nvshmem-cu13",
    version: "3.7.2",
    cpu: false,
    sha256: {
      "linux-x64": "b9a4f843c62b5dded8ad33fd6d220e007dcd39f06cee549292f5ba14ce4c235c",
      "linux-arm64": "0e748308b9e0a8a8d81859353f3e6c98fbe85a85f652a915a2ba60149a0bd124",
    },
  },
  {
    name: "nvidia-cublas",
    version: "13.4.1.3",
    cpu: false,
    sha256: {
      "linux-x64": "a5917cb642cfb07f4a0231ee16aec7e2e0357d8cb8b1b78a0c9c68dba3e6afc7",
      "linux-arm64": "4eb1472bf92b741e7cf24da7978dde251b58ddec2092d9f6a04f3623eb4e9a15",
    },
  },
  {
    name: "nvidia-cuda-cupti",
    version: "13.2.86",
    cpu: true,
    sha256: {
      "linux-x64": "8fa29f15dd8336181f961764d9d95236fc6b931dd0c8fcf8cd70aab0c310b586",
      "linux-arm64": "d9a5c133f73fcb9013f3ada0da6fb54d4117618d81f3f5a0419417ea6ee829d4",
    },
  },
  {
    name: "nvidia-cuda-nvrtc",
    version: "13.2.86",
    cpu: false,
    sha256: {
      "linux-x64": "8111c5130e967b78222ea2124145f8efe9ce201b752b2579a2513100a53be1c5",
      "linux-arm64": "1e5d7b411a2eb83f5c71c98d58133a763fc9fa86a4241ee320c5c4782d9ad1fd",
    },
  },
  {
    name: "nvidia-cuda-runtime",
    version: "13.2.86",
    cpu: true,
    sha256: {
      "linux-x64": "3498247680dfddce31bad102af7e3e26fc795342a3cac64722bb0fa95e7f60f0",
      "linux-arm64": "37844957894bfdecf90243568d21a2cb251b66106915b71459a23c8e6ef2da69",
    },
  },
  {
    name: "nvidia-cufft",
    version: "12.2.0.57",
    cpu: false,
    sha256: {
      "linux-x64": "34da27fadf3979b0b042c43823f0530be8408b86df31ee0108e1ca0b621d4ef6",
      "linux-arm64": "1ed438568ae1088ba2c25789d10205d4104b8b140b7bd942e39a787947a0fb74",
    },
  },
  {
    name: "nvidia-cufile",
    version: "1.17.1.22",
    cpu: false,
    sha256: {
      "linux-x64": "87feaf8c3ad20d3d03a01933181801ff6892bace5c8f0b1e4b48f319d3e62d36",
      "linux-arm64": "bec33d7f1f12691dce330275246587569c2ed90b1ce43b0f94b3e1ce9268744b",
    },
  },
  {
    name: "nvidia-cusolver",
    version: "12.2.0.11",
    cpu: false,
    sha256: {
      "linux-x64": "fab5778f6769947389a1a6abc07e635576825a08c0ffc68c3ae7f1392c794b42",
      "linux-arm64": "8be097fca28de6be0990ab216ee9b804dd51077e1d1d83acf6c9850650bdc64d",
    },
  },
  {
    name: "nvidia-cusparse",
    version: "12.7.10.12",
    cpu: false,
    sha256: {
      "linux-x64": "25907c75e4db1581685f06f61cc6cdecc04611765516a52373e0a18ebd69fa00",
      "linux-arm64": "597eff2cd83e3ab1d1e3a0dce9c9c879d77cf64ec2659bfdb5af6a5d02e7aaa9",
    },
  },
  {
    name: "nvidia-nvtx",
    version: "13.2.86",
    cpu: false,
    sha256: {
      "linux-x64": "968ce72baee2a01791c7d3254000eac81f24677b0b91c62d21b449a1f309c245",
      "linux-arm64": "1c6ae1be92fba569dd271f7b9b3056f99f5642726dc6c53d1b93ae4110c398fb",
    },
  },
  {
    name: "nvidia-nvjitlink",
    version: "13.5.37",
    cpu: false,
    sha256: {
      "linux-x64": "280d7cb9649704145f074b8dbde500de04ce02d0872e066e20a83c17bcaa93eb",
      "linux-arm64": "893f6f9a55b2720ed94913b5ba3332e972da8c78dfa2863d0244403dbd528ffc",
    },
  },
  {
    name: "nvidia-cuda-cccl",
    version: "13.3.5.0.6",
    cpu: false,
    sha256: {
      "linux-x64": "d5230098fa2df5021e1a00c0c4eee41797671a91119d31e892463e5ccf3ee326",
      "linux-arm64": "6f30b8076b3e69951c459c94ae190bde51924b320076ebaec376d36848b4c76e",
    },
  },
];

/**
 * The wheels for a platform; empty where there are none.
 * @param {"cpu" | "cuda"} device
 * @param {string} platform
 */
export const wheelsFor = (device, platform) => WHEELS.filter((wheel) => platform in wheel.sha256 && (wheel.cpu || device === "cuda"));

/**
 * A requirements file that pip holds to: these versions, and nothing whose hash differs.
 * @param {readonly Wheel[]} wheels
 * @param {string} platform
 */
export const requirements = (wheels, platform) =>
  wheels.map(({ name, version, sha256 }) => `${name}==${version} --hash=sha256:${sha256[platform]}\n`).join("");
