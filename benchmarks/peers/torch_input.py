"""The workloads of input for PyTorch, as its own users write them: a Dataset and a DataLoader."""

import io
import itertools

import numpy as np

from benchmarks import input_files


def programs(torch):
    """name -> function of a workload that returns its step. There is no reader of TFRecords, and there are no queues."""
    nn = torch.nn
    loader = torch.utils.data.DataLoader

    def pictures(workload):
        from PIL import Image

        size, cut = workload.size["side"], workload.size["cut"]

        class Pictures(torch.utils.data.Dataset):
            def __len__(self):
                return input_files.PICTURES

            def __getitem__(self, i):
                with open(input_files.path(f"{i}.jpg"), "rb") as f:
                    image = Image.open(io.BytesIO(f.read())).convert("RGB")
                top, left = np.random.randint(0, image.height - cut + 1), np.random.randint(0, image.width - cut + 1)
                image = image.crop((left, top, left + cut, top + cut))
                if np.random.random() < 0.5:
                    image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
                pixels = np.asarray(image.resize((size, size), Image.Resampling.BILINEAR), np.float32)
                return torch.from_numpy(pixels)

        batches = endless(lambda: loader(Pictures(), batch_size=workload.size["batch"], num_workers=2))
        return lambda: next(batches)[0, 0, 0, 0].item()

    def training():
        model = nn.Linear(784, 10)
        sgd = torch.optim.SGD(model.parameters(), 0.1)

        def step(x, y):
            sgd.zero_grad(set_to_none=True)
            loss = nn.functional.cross_entropy(model(x.float() / 255), y)
            loss.backward()
            sgd.step()
            return loss.item()

        return step

    def feed(workload):
        images, labels = input_files.digits()
        step, random = training(), np.random.RandomState(1)

        def fed():
            rows = random.randint(0, len(images), 100)
            return step(torch.from_numpy(images[rows]), torch.from_numpy(labels[rows]).long())

        return fed

    def data(workload):
        images, labels = input_files.digits()
        tensors = torch.utils.data.TensorDataset(torch.from_numpy(images), torch.from_numpy(labels).long())
        batches = endless(lambda: loader(tensors, batch_size=100, shuffle=True))
        step = training()
        return lambda: step(*next(batches))

    return {"pictures": pictures, "input-feed": feed, "input-data": data}


def endless(make):
    """The batches of one loader after another."""
    return itertools.chain.from_iterable(make() for _ in itertools.count())
