"""The command line: one file a family of commands, thin over the packages.

options     options that commands share, and how they become a DatasetSpec
progress    a bar, and a summary
generation  render, bootstrap, index, bench
inspection  verify, report
estimate    estimate
learning    train, evaluate, export-onnx
show        show: a recipe, a model or a sample as a picture
models      models: import, info, export
recipes     recipes: list, show
doctor      doctor: what is installed and what is missing
main        the facegen command; errors in one line
entry       the first steps: streams and signals made safe
"""
