"""Train BMIP on handwritten digits 0 to 4 and ask it about 5 to 9, which it has never seen."""

import bmip

clip = bmip.load_clip("embedded")
base, novel = bmip.split_base_novel(bmip.sample_few_shot(bmip.load_dataset("digits"), shots=16, seed=1))

spec = bmip.RunSpec(method="bmip", training=bmip.settings(epochs=10, batch=32, lr=0.01))
run = bmip.train(spec, clip, base, "runs/quickstart")  # a second call finds what is done

print(f"base  {run.predictions.accuracy:.1f} %")
print(f"novel {bmip.evaluate(run.model, novel.test, novel.classes).accuracy:.1f} %")

for found in bmip.predict(run.model, [novel.test.images[0]], ["digit five", "letter S", "smiling face"]):
    print(", ".join(f"{guess.name}: {guess.probability:.0%}" for guess in found.guesses))
